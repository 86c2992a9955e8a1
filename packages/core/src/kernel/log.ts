import type { KernelContext } from "./context.ts";
import type { LogRecord } from "./kernel.ts";
import { readRecordBuffer } from "./log-records.ts";
import { readRingBuffer } from "./log-ring.ts";

/**
 * The kernel log, oldest first: the lockless ring buffer since 5.10 (896fbe20b4e2), the record buffer before it (3.5).
 * Empty, with a line in `problems`, where neither can be read.
 */
export function readLog(context: KernelContext): readonly LogRecord[] {
  const records = readRingBuffer(context) ?? readRecordBuffer(context);
  if (records === null) {
    context.problem("the kernel log could not be found: neither `prb` nor `log_buf` can be read");
    return [];
  }
  return records;
}

/** `[    1.234567] text` as dmesg and crash print it; further lines of a record are indented to the text. */
export function formatLogRecord(record: LogRecord): string {
  const micros = record.timestamp / 1000n;
  const seconds = (micros / 1_000_000n).toString().padStart(5, " ");
  const fraction = (micros % 1_000_000n).toString().padStart(6, "0");
  const prefix = `[${seconds}.${fraction}] `;
  return prefix + record.text.replaceAll("\n", `\n${" ".repeat(prefix.length)}`);
}
