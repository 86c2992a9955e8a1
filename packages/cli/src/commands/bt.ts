import {
  backtrace,
  codeAddress,
  type DetailedBacktrace,
  type Frame,
  frameVariables,
  type Kernel,
  readPtRegs,
  type SourceFrame,
  staleReturnsOf,
  type Task,
} from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatBacktrace, formatStale, formatTaskLine } from "../format/bt.ts";
import { formatRawStack } from "../format/raw-stack.ts";
import { formatVariables, plainVariable, variablesByFunction } from "../format/variables.ts";
import { toJson } from "../json.ts";
import { nameOf } from "../location.ts";
import { findTask, noTask } from "../task.ts";
import { valueStyle } from "../value-style.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface BtOptions extends DumpOptions {
  readonly a?: boolean;
  readonly r?: boolean;
  readonly stale?: boolean;
  readonly locals?: boolean;
}

/** What a backtrace is asked of. */
interface Target {
  readonly task: Task;
  /** Set where the task was on this CPU. */
  readonly cpu: number | null;
}

function targetOf(kernel: Kernel, task: Task): Target {
  const cpu = kernel.cpus.find((one) => one.currentTask === task.address);
  return { task, cpu: cpu?.number ?? null };
}

function active(kernel: Kernel): Target[] {
  return kernel.cpus.flatMap((cpu) => {
    const task = cpu.currentTask === null ? null : kernel.task(cpu.currentTask);
    return task === null ? [] : [{ task, cpu: cpu.number }];
  });
}

function targets(kernel: Kernel, words: readonly string[], options: BtOptions, focus: Task | null): Target[] {
  if (options.a) return active(kernel);
  if (words.length > 0) return words.map((word) => targetOf(kernel, findTask(kernel, word)));
  if (focus !== null) return [targetOf(kernel, focus)];
  const panicked = kernel.panic.task === null ? null : kernel.task(kernel.panic.task);
  if (panicked === null) throw noTask("this dump does not tell which task panicked");
  return [targetOf(kernel, panicked)];
}

function walk(kernel: Kernel, target: Target): DetailedBacktrace {
  return target.cpu === null
    ? backtrace(kernel, { task: target.task.address })
    : backtrace(kernel, { cpu: target.cpu });
}

/** The words of a stack; null where the dump does not have them. */
function stackWords(kernel: Kernel, low: bigint, size: number): (bigint | null)[] {
  const { bytes, faults } = kernel.memory.readSparse(low, size);
  const missing = new Set(faults.map((fault) => fault.virtual & ~0xfffn));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(size / 8) }, (_, index) => {
    const address = low + BigInt(index * 8);
    return missing.has(address & ~0xfffn) ? null : view.getBigUint64(index * 8, true);
  });
}

function rawStack(kernel: Kernel, target: Target): string {
  const low = target.task.stack;
  if (low === null) throw noTask(`task ${target.task.pid} has no stack`);
  return formatRawStack(stackWords(kernel, low, kernel.threadSize), low, (word) => nameOf(word, kernel.symbols));
}

/** The functions of the source at a frame, as far as debug information tells; none where its place in its function is not known. */
function sourceOf(kernel: Kernel, frame: Frame): readonly SourceFrame[] {
  return frame.offset === null ? [] : (kernel.debugInfo?.framesAt(codeAddress(frame)) ?? []);
}

type SourceOf = (frame: Frame) => readonly SourceFrame[];

/** The same for the frames of one backtrace, each looked up once. */
function sourcesOf(kernel: Kernel): SourceOf {
  const known = new Map<Frame, readonly SourceFrame[]>();
  return (frame) => {
    const source = known.get(frame) ?? sourceOf(kernel, frame);
    known.set(frame, source);
    return source;
  };
}

/** The text below each function of a backtrace: its parameters and locals. */
function localsOf(
  kernel: Kernel,
  trace: DetailedBacktrace,
  sources: SourceOf,
): (of: Frame, one: SourceFrame) => string {
  const variables = frameVariables(kernel, trace);
  const style = valueStyle(kernel, {});
  const texts = new Map<SourceFrame, string>();
  trace.frames.forEach((frame, index) => {
    const source = sources(frame);
    variablesByFunction(source, variables[index]!).forEach((ofFunction, at) => {
      texts.set(source[at]!, formatVariables(kernel, ofFunction, style));
    });
  });
  return (_frame, one) => texts.get(one) ?? "";
}

/** What `--json` prints of one backtrace. */
function asDocument(kernel: Kernel, target: Target, options: BtOptions) {
  const trace = walk(kernel, target);
  const { task, cpu, end, stopped, gap, userRegs, source } = trace;
  const { pid, comm } = target.task;
  const variables = options.locals ? frameVariables(kernel, trace) : null;
  const frames =
    kernel.debugInfo === null
      ? trace.frames
      : trace.frames.map((frame, index) => ({
          ...frame,
          source: sourceOf(kernel, frame),
          variables: variables?.[index]?.map((one) => plainVariable(kernel, one)),
        }));
  const stale = options.stale ? staleReturnsOf(kernel, trace) : undefined;
  return { pid, comm, task, cpu, source, end, stopped, gap, userRegs, frames, stale };
}

export function registerBt(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "bt",
    usesDebugInfo: true,
    summary: "backtraces: of the task that panicked, of any task, of every CPU",
    description:
      'backtraces in crash\'s layout. Every frame is proven from the code and the unwind data unless it says "inferred".',
    examples: [
      ["bt vmcore", "the task that panicked"],
      ["bt vmcore -a", "the active task of every CPU"],
      ["bt vmcore 1 217 ffff8a210120a0c0", "tasks by PID or address"],
      ["bt vmcore --debuginfo vmlinux", "with source lines and inlined functions"],
      ["bt vmcore --locals --debuginfo vmlinux", "with parameters and locals"],
      ["bt vmcore -r", "the raw stack, every word by name where it is a symbol's address"],
    ],
  })
    .argument("<file>", "the dump")
    .argument("[task...]", "PIDs or task_struct addresses")
    .option("-a", "the active task of every CPU")
    .option("-r", "the task's raw stack, words as symbols")
    .option("--locals", "parameters and locals of each frame, with debug information")
    .option("--stale", "also list return addresses that earlier calls left on the stack: they are no frames")
    .action((file: string, words: string[], options: BtOptions) => {
      const { kernel } = openOne(context, file, options);
      const chosen = targets(kernel, words, options, context.focus ?? null);
      if (options.json) {
        context.terminal.write(toJson(chosen.map((target) => asDocument(kernel, target, options))));
        return;
      }
      const blocks = chosen.map((target) => {
        const head = formatTaskLine(target.task, target.cpu);
        if (options.r) return head + rawStack(kernel, target);
        const trace = walk(kernel, target);
        const user = trace.userRegs === null ? null : readPtRegs(kernel.memory, trace.userRegs);
        const stale = options.stale ? formatStale(staleReturnsOf(kernel, trace)) : "";
        const sources = sourcesOf(kernel);
        const locals = options.locals ? localsOf(kernel, trace, sources) : undefined;
        return head + formatBacktrace(trace, user, context.terminal.colors, sources, locals) + stale;
      });
      context.terminal.write(blocks.join("\n"));
    });
}
