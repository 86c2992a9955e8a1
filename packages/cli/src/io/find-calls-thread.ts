/**
 * A second thread that decodes the code of a program and finds its calls while the first one follows the pointers: both open the
 * same files and number the functions alike. The first is busy all the time and waits at its end only, so that nothing here is asynchronous.
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
import type { CallsToCome } from "../context.ts";
import { openProgramFile } from "./open-program.ts";
import { type CodeLink, codeLink, ReceivedFunctions, SentFunctions } from "./shared-code.ts";
import { receivingUnpackers, sendingUnpackers, unpackedState } from "./shared-unpackers.ts";

const TASK = "spillway: find calls";

/** What both threads see: whether the second one has ended, and a number that grows as long as it gets on. */
const ENDED = 0;
const BEATS = 1;
const STATE_BYTES = 8;
/** Without a beat for so long, the thread is given up. */
const PATIENCE_MS = 60_000;
/** What dies young there dies very young; V8 would let 64 MB of it pile up beside the first thread's memory. */
const LIMITS = { maxYoungGenerationSizeMb: 3 };

interface Task {
  readonly task: typeof TASK;
  readonly input: string;
  readonly modules: readonly string[];
  readonly state: Int32Array;
  readonly unpacked: Int32Array;
  readonly code: CodeLink;
  /** For the result, and what the first thread has unpacked. */
  readonly port: MessagePort;
}

/** Starts the thread; undefined on a machine with one processor. */
export function findCallsAside(input: string, modules: readonly string[]): CallsToCome | undefined {
  if (availableParallelism() < 2) return undefined;
  const state = new Int32Array(new SharedArrayBuffer(STATE_BYTES));
  const { port1, port2 } = new MessageChannel();
  const unpacked = unpackedState();
  const code = codeLink();
  const task: Task = { task: TASK, input, modules, state, unpacked, code, port: port2 };
  const worker = new Worker(new URL(import.meta.url), {
    workerData: task,
    transferList: [port2],
    resourceLimits: LIMITS,
  });
  worker.unref();
  // What goes wrong there goes wrong here as well, or is no matter.
  worker.on("error", () => {});
  const decoded = new ReceivedFunctions(code);
  const wait = (): FoundCalls | null => {
    decoded.close();
    for (let beats = -1; Atomics.load(state, ENDED) === 0 && beats !== Atomics.load(state, BEATS); ) {
      beats = Atomics.load(state, BEATS);
      Atomics.wait(state, ENDED, 0, PATIENCE_MS);
    }
    const found = receiveMessageOnPort(port1)?.message ?? null;
    port1.close();
    if (found === null) void worker.terminate();
    return found as FoundCalls | null;
  };
  return { wait, decoded, unpackers: sendingUnpackers({ state: unpacked, port: port1 }) };
}

function work({ input, modules, state, unpacked, code, port }: Task): void {
  try {
    const program = openProgramFile(input, { modules, unpackers: receivingUnpackers({ state: unpacked, port }) });
    const sent = new SentFunctions(code);
    const found = findCalls(program, () => Atomics.add(state, BEATS, 1), sent);
    sent.flush();
    port.postMessage(found);
  } finally {
    port.close();
    Atomics.store(state, ENDED, 1);
    Atomics.notify(state, ENDED);
  }
}

if (!isMainThread && (workerData as Partial<Task> | null)?.task === TASK) work(workerData as Task);
