import type { LogRecord } from "@spillway/core";
import { printable } from "../text/printable.ts";
import { formatDate, formatTimestamp } from "./time.ts";

export interface LogStyle {
  /** `none` is crash's -t, `human` its -T; `human` needs `bootTime`. */
  readonly time: "kernel" | "human" | "none";
  /** Show `<level>`, crash's -m. */
  readonly level: boolean;
  /** Show the task or CPU that wrote the record, where recorded. */
  readonly caller: boolean;
  /** Milliseconds since 1970 at which the kernel's clock read 0. */
  readonly bootTime: number | null;
}

/** One record as crash prints it: further lines of a record are indented under its first. */
export function formatLogRecord(record: LogRecord, style: LogStyle): string {
  let prefix = "";
  if (style.time === "kernel") prefix = `[${formatTimestamp(record.timestamp)}] `;
  if (style.time === "human" && style.bootTime !== null) {
    prefix = `[${formatDate(new Date(style.bootTime + Number(record.timestamp / 1_000_000n)))}] `;
  }
  if (style.caller && record.caller !== null) prefix += `[${record.caller.padStart(6)}] `;
  if (style.level) prefix += `<${(record.level & 7).toString(16)}>`;
  const indent = " ".repeat(prefix.length);
  const [first, ...rest] = printable(record.text, { keepLines: true }).split("\n");
  return `${prefix}${[first, ...rest.map((line) => indent + line)].join("\n")}\n`;
}
