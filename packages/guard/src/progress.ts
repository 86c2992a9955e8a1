/** One step of long work, in a few words ("building spillway.ko"); what to do with it is the front end's business. */
export type Progress = (step: string) => void;

/** For callers that want no progress. */
export const silent: Progress = () => {};
