/** Stacks whose range a log prints, and dumps of their words. */
import { hexNumber } from "./code-place.ts";
import { unhashed } from "./headlines.ts";
import type { PrintedStack } from "./report.ts";

const KERNEL_HALF = 1n << 31n;

function range(
  name: string,
  low: string | undefined,
  high: string | undefined,
  inclusive: boolean,
): PrintedStack | null {
  const from = unhashed(hexNumber(low));
  const to = unhashed(hexNumber(high));
  if (from === null || from < KERNEL_HALF) return null;
  if (to === null) return { name, low: from, high: null };
  const end = inclusive ? to + 1n : to;
  // A stack of more than a megabyte is no stack.
  return end > from && end - from <= 1n << 20n ? { name, low: from, high: end } : null;
}

/** A stack's range in `text`, or null. */
export function readStackRange(text: string): PrintedStack | null {
  if (!/tack|task\.ti|threadinfo |ti=/.test(text)) return null;
  // x86: handle_stack_overflow(), arch/x86/kernel/traps.c; the last byte is printed as the end.
  const guard =
    /(?:(\S{1,12}) )?stack guard page was hit at \S+ \(stack is ([0-9a-fx]{8,18})\.\.([0-9a-fx]{8,18})\)/.exec(text);
  if (guard !== null) {
    const name = guard[1] === undefined || guard[1] === "BUG:" ? "task" : guard[1].toLowerCase();
    return range(name, guard[2]!.replace("0x", ""), guard[3]!.replace("0x", ""), true);
  }
  // arm64: panic_bad_stack(); riscv: handle_bad_stack().
  const named =
    /^(Task|IRQ|Overflow|SDEI|Normal|Critical)(?: \w+)? stack:\s+\[(?:0x)?([0-9a-f]{8,16})\.\.(?:0x)?([0-9a-f]{8,16})\]/.exec(
      text,
    );
  if (named !== null) return range(named[1]!.toLowerCase(), named[2], named[3], false);
  // x86 to 4.10: "task: … ti: … task.ti: …"; to 4.14: "task: … task.stack: …".
  const low = /task\.(?:ti|stack): ([0-9a-f]{16})/.exec(text);
  if (low !== null) return range("task", low[1], undefined, false);
  // arm and arm64 to 4.x: "Process foo (pid: 1, stack limit = 0x…)"; the limit is the end of thread_info above the low end.
  const limit = /stack limit = 0x([0-9a-f]{8,16})/.exec(text);
  if (limit !== null) return range("task", limit[1], undefined, false);
  // x86 to 2.6.3x: "Process foo (pid: 1, threadinfo ffff…, task ffff…)" and "ti=c1234000 task=…".
  const info = /(?:threadinfo |ti=)([0-9a-f]{8,16})/.exec(text);
  return info === null ? null : range("task", info[1], undefined, false);
}

/** Words of a `Stack:` dump on one line: 16 digits each (8 on 32-bit machines); null where the line is none. */
export function readStackWords(text: string): bigint[] | null {
  const words = /^(?:Stack:\s*)?(?:[0-9a-f]{4,16}: )?((?:<?[0-9a-f]{8,16}>?\s*){1,8})$/.exec(text);
  if (words === null) return null;
  return words[1]!
    .trim()
    .split(/\s+/)
    .map((word) => BigInt(`0x${word.replaceAll(/[<>]/g, "")}`));
}

/** Bytes of a `Code:` line; the marked one is where the CPU stood. Null where the line is none. */
export function readCode(text: string): { bytes: number[]; at: number | null } | null {
  const match = /^Code:?\s*((?:[<(]?[0-9a-f]{2}[>)]?\s*){4,128})/.exec(text);
  return match === null ? null : codeBytes(match[1]!);
}

/** What continues a `Code:` line that was wrapped. */
export function continueCode(text: string): { bytes: number[]; at: number | null } | null {
  return /^(?:[<(]?[0-9a-f]{2}[>)]?\s+){2,128}(?:[<(]?[0-9a-f]{2}[>)]?)?$/.test(`${text} `) ? codeBytes(text) : null;
}

function codeBytes(digits: string): { bytes: number[]; at: number | null } {
  const bytes: number[] = [];
  let at: number | null = null;
  for (const word of digits.trim().split(/\s+/)) {
    const byte = /^([<(]?)([0-9a-f]{2})/.exec(word);
    if (byte === null) break;
    if (byte[1] === "<") at = bytes.length;
    bytes.push(Number.parseInt(byte[2]!, 16));
  }
  return { bytes, at };
}
