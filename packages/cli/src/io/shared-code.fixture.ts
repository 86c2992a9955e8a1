/** Functions that tell their numbers, and a thread that sends some of them. */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import type { DecodedFunction } from "@spillway/core";
import { CodeBlocks } from "../../../core/src/budget/indirect/code-blocks.ts";
import { CodeColumns } from "../../../core/src/code/code-columns.ts";
import { type CodeLink, SentFunctions } from "./shared-code.ts";

const TASK = "spillway: send functions";
const TEXT = 0xffffffff81000000n;
const blocks = new CodeBlocks(new Map());

interface Task {
  readonly task: typeof TASK;
  readonly link: CodeLink;
  readonly count: number;
  readonly dies: boolean;
  /** 1 when all have been sent. */
  readonly ended: Int32Array;
}

/** `movabs $0x100000000 + number,%rax`, then so many `nop`. */
export function numbered(number: number, length = 1): DecodedFunction {
  const bytes = new Uint8Array(10 + length).fill(0x90);
  bytes.set([0x48, 0xb8]);
  new DataView(bytes.buffer).setBigUint64(2, 0x100000000n + BigInt(number), true);
  const code = new CodeColumns();
  code.decode(bytes, TEXT);
  return { code, blocks: blocks.of(code) };
}

/** The number that such a function tells. */
export function numberOf({ code }: DecodedFunction): number {
  return Number([...code.wide.values()][0]! - 0x100000000n);
}

/** Sends as many functions from a thread of its own, which comes to a sudden end behind them where it dies. */
export function sendAside(link: CodeLink, count: number, dies = false): { worker: Worker; ended: Int32Array } {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const task: Task = { task: TASK, link, count, dies, ended };
  return { worker: new Worker(new URL(import.meta.url), { workerData: task }), ended };
}

function work({ link, count, dies, ended }: Task): void {
  const sent = new SentFunctions(link);
  for (let index = 0; index < count; index++) if (sent.wants(index)) sent.receive(index, numbered(index));
  if (dies) process.exit(1);
  sent.flush();
  Atomics.store(ended, 0, 1);
  Atomics.notify(ended, 0);
}

if (!isMainThread && (workerData as Partial<Task> | null)?.task === TASK) work(workerData as Task);
