/** The kernel's log, for what the module says about itself (Documentation/ABI/testing/dev-kmsg). */
import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Host } from "./host.ts";

/** A record of /dev/kmsg. */
export interface KmsgRecord {
  /** 0 (emergency) to 7 (debug). */
  readonly level: number;
  /** Counts up with every record. */
  readonly sequence: number;
  readonly text: string;
}

/** `6,339,5140900,-;text`, then lines with a blank before them that belong to it; null for another form. */
export function parseKmsg(record: string): KmsgRecord | null {
  const match = /^(\d+),(\d+),\d+,[^;]*;([^\n]*)/.exec(record);
  if (match === null) return null;
  return { level: Number(match[1]) & 7, sequence: Number(match[2]), text: match[3]! };
}

/** The longest record (CONSOLE_EXT_LOG_MAX), in bytes. */
const RECORD = 8192;
/** Records that are read at most: a buffer of 16 MiB of the shortest lines. */
const MOST = 500_000;

/**
 * All records after one, oldest first; null where the log may not be read (CAP_SYSLOG, sysctl kernel.dmesg_restrict).
 * @param after a sequence number; -1 for all
 */
export function readKmsg(host: Host, after = -1): KmsgRecord[] | null {
  let file: number;
  try {
    file = openSync(host.path("/dev/kmsg"), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  const records: KmsgRecord[] = [];
  const buffer = Buffer.alloc(RECORD);
  try {
    for (let count = 0; count < MOST; count++) {
      let bytes: number;
      try {
        bytes = readSync(file, buffer, 0, RECORD, null);
      } catch (error) {
        // EPIPE: the record was overwritten before it was read; the next read goes on after the gap. EAGAIN: the end.
        if ((error as NodeJS.ErrnoException).code === "EPIPE") continue;
        break;
      }
      if (bytes === 0) break;
      const record = parseKmsg(buffer.toString("utf8", 0, bytes));
      if (record !== null && record.sequence > after) records.push(record);
    }
  } finally {
    closeSync(file);
  }
  return records;
}

/** The newest record's sequence number; -1 where the log is empty or may not be read. */
export function newestKmsg(host: Host): number {
  return readKmsg(host)?.at(-1)?.sequence ?? -1;
}

/** A warning or worse: what was said about trouble. */
const WARNING = 4;

/** What the module, and the kernel about it, said of trouble; the module's own prefix is left out. */
export function troubleIn(records: readonly KmsgRecord[]): string[] {
  return records.flatMap(({ level, text }) => {
    const own = /^spillway: (.*)/.exec(text)?.[1];
    if (own !== undefined)
      return level <= WARNING || /^(version magic|Unknown symbol|disagrees about)/.test(own) ? [own] : [];
    return /^(Lockdown: |Loading of unsigned module|Loading of module with unavailable key)/.test(text) ? [text] : [];
  });
}
