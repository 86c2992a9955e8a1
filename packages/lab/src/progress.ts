/** One step of the lab's work, in a few words ("booting 6.12.117"); what to do with it is the front end's business. */
export type Progress = (step: string) => void;

/** For callers that want no progress. */
export const silent: Progress = () => {};
