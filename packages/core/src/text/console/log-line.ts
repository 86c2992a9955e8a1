/** One line of a log without what the ways that logs travel put before it. */

export interface LogLine {
  /** What the kernel printed; blanks at either end are gone. */
  readonly text: string;
  /** Seconds since boot, or null. */
  readonly time: number | null;
  /** "T123" (task) or "C0" (CPU) of CONFIG_PRINTK_CALLER (5.1), or null. */
  readonly caller: string | null;
  /** Index of the line in the text. */
  readonly index: number;
}

/** A printk timestamp; anywhere near the start of a line it ends whatever a terminal server or a log collector put there. */
const STAMP = /\[\s{0,12}\d{1,10}\.\d{6}(?:[@,]\d+)?\]/g;
/** How far from the start of a line a timestamp may stand. */
const STAMP_REACH = 120;

/** What may stand before the message, one after the other; each is tried at the start of what is left. */
const PREFIXES: readonly RegExp[] = [
  // Quoted in a mail.
  /^(?:>\s?)+/,
  // printk's level, and syslog's priority.
  /^<\d{1,3}(?:,\d{1,8})?>/,
  // Date of syslog, host, "kernel:".
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? (?:[\w.:-]{1,64} (?=kernel(?:\[\d{1,8}\])?:))?/,
  // ISO date of rsyslog, journalctl -o short-iso and loggers of serial consoles.
  /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,:+Z-]{0,20}\]?\s(?:[\w.:-]{1,64} (?=kernel(?:\[\d{1,8}\])?:))?/,
  // dmesg -T.
  /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\]\s?/,
  /^\[?\d\d:\d\d:\d\d(?:\.\d{1,9})?\]?\s/,
  /^(?:[\w.:-]{1,64} )?kernel(?:\[\d{1,8}\])?:\s?/,
  // Vendors' printk prefixes: "[0: swapper/0: 0]", "c0 1234".
  /^\[\d{1,3}: {0,4}[^\]]{1,40}\]\s?/,
];

const TIME = /^\[\s*(\d+\.\d+)(?:[@,]\d+)?\]\s?/;
const CALLER = /^\[\s*([TC]\d+)\s*\]\s?/;
/** /dev/kmsg and extended netconsole: level and facility, sequence number, microseconds, flags (Documentation/ABI/testing/dev-kmsg). */
const KMSG = /^\d{1,4},\d{1,12},(\d{1,15}),[^;]{0,120};/;

/** Escape sequences of terminals: CSI, OSC and two-character ones (ECMA-48). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/** Lines longer than this are cut: nothing that the kernel prints about a crash is. */
const MAX_LINE = 4096;

/**
 * Takes one line of text apart. Several where two records stand on one line, as a serial line that two writers share leaves
 * them.
 */
export function readLine(raw: string, index: number): LogLine[] {
  let line = raw.length > MAX_LINE ? raw.slice(0, MAX_LINE) : raw;
  if (line.includes("\x1b")) line = line.replace(ESCAPES, "");
  line = line.replace(CONTROLS, "").replaceAll("\r", " ");
  const starts: number[] = [];
  for (const match of line.matchAll(STAMP)) starts.push(match.index);
  if (starts.length === 0 || starts[0]! > STAMP_REACH) return [unprefixed(line, index)];
  const result: LogLine[] = [];
  // What stands before the first timestamp may itself be the end of another record.
  const before = line.slice(0, starts[0]);
  if (before.length > 24) result.push(...[unprefixed(before, index)].filter((one) => one.text.length > 1));
  for (const [nth, start] of starts.entries()) result.push(unprefixed(line.slice(start, starts[nth + 1]), index));
  return result;
}

function unprefixed(line: string, index: number): LogLine {
  let text = line.trim();
  let time: number | null = null;
  let caller: string | null = null;
  for (let round = 0; round < 8; round++) {
    const before = text.length;
    const first = text.charCodeAt(0);
    if (first === 0x5b) {
      const stamp = TIME.exec(text);
      if (stamp !== null) {
        time ??= Number(stamp[1]);
        text = text.slice(stamp[0].length).trimStart();
        continue;
      }
      const called = CALLER.exec(text);
      if (called !== null) {
        caller ??= called[1]!;
        text = text.slice(called[0].length).trimStart();
        continue;
      }
    }
    const kmsg = first >= 0x30 && first <= 0x39 ? KMSG.exec(text) : null;
    if (kmsg !== null) {
      time ??= Number(kmsg[1]) / 1e6;
      caller ??= /caller=([TC]\d+)/.exec(kmsg[0])?.[1] ?? null;
      text = text.slice(kmsg[0].length).trimStart();
      continue;
    }
    for (const prefix of PREFIXES) {
      const match = prefix.exec(text);
      if (match !== null) {
        text = text.slice(match[0].length).trimStart();
        break;
      }
    }
    if (text.length === before) break;
  }
  return { text, time, caller, index };
}
