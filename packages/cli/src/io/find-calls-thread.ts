/**
 * A second thread that finds the calls of a program while the first one follows its pointers: both open the same files and
 * number the functions alike. The first is busy all the time and waits at its end only, so that nothing here is asynchronous.
 */
import { availableParallelism } from "node:os";
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { type FoundCalls, findCalls } from "@spillway/core";
import { openProgramFile } from "./open-program.ts";

const TASK = "spillway: find calls";

/** What both threads see: whether the second one has ended, and a number that grows as long as it gets on. */
const ENDED = 0;
const BEATS = 1;
const STATE_BYTES = 8;
/** Without a beat for so long, the thread is given up. */
const PATIENCE_MS = 60_000;

interface Task {
  readonly task: typeof TASK;
  readonly input: string;
  readonly modules: readonly string[];
  readonly state: Int32Array;
  readonly result: MessagePort;
}

/**
 * Starts the thread.
 * @returns waits for what it finds, null where it came to nothing; or undefined on a machine with one processor
 */
export function findCallsAside(input: string, modules: readonly string[]): (() => FoundCalls | null) | undefined {
  if (availableParallelism() < 2) return undefined;
  const state = new Int32Array(new SharedArrayBuffer(STATE_BYTES));
  const { port1, port2 } = new MessageChannel();
  const task: Task = { task: TASK, input, modules, state, result: port2 };
  const worker = new Worker(new URL(import.meta.url), { workerData: task, transferList: [port2] });
  worker.unref();
  // What goes wrong there goes wrong here as well, or is no matter.
  worker.on("error", () => {});
  return () => {
    for (let beats = -1; Atomics.load(state, ENDED) === 0 && beats !== Atomics.load(state, BEATS); ) {
      beats = Atomics.load(state, BEATS);
      Atomics.wait(state, ENDED, 0, PATIENCE_MS);
    }
    const found = receiveMessageOnPort(port1)?.message ?? null;
    port1.close();
    if (found === null) void worker.terminate();
    return found as FoundCalls | null;
  };
}

function work({ input, modules, state, result }: Task): void {
  try {
    const program = openProgramFile(input, { modules });
    const found = findCalls(program, () => Atomics.add(state, BEATS, 1));
    result.postMessage(found);
  } finally {
    result.close();
    Atomics.store(state, ENDED, 1);
    Atomics.notify(state, ENDED);
  }
}

if (!isMainThread && (workerData as Partial<Task> | null)?.task === TASK) work(workerData as Task);
