import type { Backtrace, DetailedBacktrace, Frame, SourceFrame, StaleReturn, Task } from "@spillway/core";
import type { Colors } from "../terminal.ts";
import { hex16 } from "../text/hex.ts";
import { printable } from "../text/printable.ts";
import { formatRegisters } from "./registers.ts";
import { formatLocation } from "./source-line.ts";

/** What a backtrace is printed from. */
export type PrintableBacktrace = Backtrace & Pick<DetailedBacktrace, "brokenFrame" | "gap">;

/** crash's first line of a backtrace. */
export function formatTaskLine(task: Task, cpu: number | null): string {
  const where = cpu ?? task.cpu;
  const number = where === null ? "-" : where.toString();
  const comm = printable(task.comm);
  return `PID: ${task.pid.toString().padEnd(8)} TASK: ${hex16(task.address)}  CPU: ${number.padEnd(3)}  COMMAND: "${comm}"\n`;
}

function nameOfFrame(frame: Frame): string {
  return printable(frame.function ?? "(unknown)");
}

function stackLabel(frame: Frame): string {
  const stack = frame.stack;
  if (stack === null) return "unknown";
  const name = stack.name === "" ? "" : ` ${stack.name}`;
  return `${stack.kind}${name}`;
}

/** The frame's place on the stack: where its return address lies, or its RSP where it has none of its own. */
function slotOf(frame: Frame, innermost: boolean): bigint {
  return innermost || frame.interrupted ? frame.sp : frame.sp - 8n;
}

/**
 * A backtrace in crash's layout. Frames that were inferred say so and why; where the walk was stopped stands at the end.
 * @param userRegisters registers of user mode, where the walk reached it
 * @param sourceOf the functions of the source at a frame, innermost first; where they are known, their lines are printed
 * @param detailOf what is printed below each of them
 */
export function formatBacktrace(
  backtrace: PrintableBacktrace,
  userRegisters: ReadonlyMap<string, bigint> | null,
  colors: Colors,
  sourceOf: (frame: Frame) => readonly SourceFrame[] = () => [],
  detailOf: (frame: Frame, source: SourceFrame) => string = () => "",
): string {
  let text = "";
  let number = 0;
  const lastInferred = backtrace.frames.findLastIndex((frame) => frame.certainty === "inferred");
  const gapAfter = lastInferred >= 0 ? lastInferred : backtrace.brokenFrame;
  backtrace.frames.forEach((frame, index) => {
    const before = backtrace.frames[index - 1];
    if (before?.stack && frame.stack && before.stack.low !== frame.stack.low) {
      text += `--- <${stackLabel(before)} stack> ---\n`;
    }
    const module = frame.module === null ? "" : ` [${printable(frame.module)}]`;
    const source = sourceOf(frame);
    const detail = (one: SourceFrame | undefined) => (one === undefined ? "" : sourceLine(one) + detailOf(frame, one));
    for (const inlined of source.filter((one) => one.inlined)) {
      text += `    (inlined) ${printable(inlined.function ?? "(unknown)")}${module}\n${detail(inlined)}`;
    }
    if (frame.interrupted && index > 0) {
      const plus = frame.offset === null ? "" : `+${frame.offset}`;
      text += `    [exception RIP: ${nameOfFrame(frame)}${plus}${module}]\n${detail(source.at(-1))}${formatRegisters(frame.registers)}`;
    } else {
      const label = `#${number}`.padStart(3);
      number++;
      const why = frame.why ?? "no reason given";
      const inferred = frame.certainty === "inferred" ? colors.yellow(` (inferred: ${printable(why)})`) : "";
      const slot = hex16(slotOf(frame, index === 0));
      text += `${label} [${slot}] ${nameOfFrame(frame)} at ${hex16(frame.address)}${module}${inferred}\n${detail(source.at(-1))}`;
    }
    if (backtrace.gap !== null && index === gapAfter) text += colors.yellow(`    (${backtrace.gap})\n`);
  });
  if (backtrace.end === "user" && userRegisters !== null) text += formatRegisters(userRegisters);
  if (backtrace.end === "lost") text += colors.yellow(`    stopped: ${backtrace.stopped ?? "no reason given"}\n`);
  return text;
}

function sourceLine(source: SourceFrame): string {
  return source.location ? `    ${formatLocation(source.location)}\n` : "";
}

/** Return addresses of calls that are over: listed so that nobody takes them for frames. */
export function formatStale(stale: readonly StaleReturn[]): string {
  if (stale.length === 0) return "    no stale return addresses\n";
  const lines = stale.map((one) => {
    const module = one.module === null ? "" : ` [${printable(one.module)}]`;
    return `    [${hex16(one.slot)}] ${printable(one.function)}+${one.offset} at ${hex16(one.address)}${module}\n`;
  });
  return `    stale return addresses, left by calls that are over (no frames):\n${lines.join("")}`;
}
