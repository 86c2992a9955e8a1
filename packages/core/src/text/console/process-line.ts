/** Which CPU, task and kernel a report is about. */

export interface ProcessLine {
  readonly cpu: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  readonly release: string | null;
  /** Taint letters as printed; "" for "Not tainted". */
  readonly taints: string | null;
}

/** `CPU: 1 UID: 0 PID: 95 Comm: sh Tainted: G OE 6.1.0 #1`; 2.6 to 3.8: `Pid: 95, comm: sh Not tainted 2.6.32 #1`. */
const MODERN =
  /^CPU: (\d{1,5})\s+(?:UID: -?\d{1,10}\s+)?PID: (-?\d{1,10})\s+Comm: (.{1,64}?)(?:\s+(?:Kdump: loaded\s+)?(Not tainted.{0,160}|Tainted: .{1,160}))?$/;
const OLD = /^Pid: (\d{1,10}), comm: (.{1,64}?)(?:\s+(Not tainted.{0,160}|Tainted: .{1,160}))?$/;
/** Which kernel follows the taint flags: `Not tainted 6.1.0-56-cloud-amd64 #1`. */
const RELEASE = /(?:Not tainted|Tainted: (?:[A-Z ]{1,40}|(?:\[\w\]=\w+,? ?)+))\s*[([]?(\d{1,2}\.\d{1,3}[^\s)]{0,80})/;
/** `Process foo (pid: 95, threadinfo …)`. */
const PROCESS = /^Process (.{1,64}?) \(pid: (\d{1,10})/;

/** Null where the line is none of these. */
export function readProcessLine(text: string): ProcessLine | null {
  const c = text.charCodeAt(0);
  if (c !== 0x43 && c !== 0x50) return warning(text);
  const modern = MODERN.exec(text);
  if (modern !== null) {
    return { cpu: Number(modern[1]), pid: Number(modern[2]), comm: modern[3]!.trim(), ...tainted(modern[4]) };
  }
  const old = OLD.exec(text);
  if (old !== null) return { cpu: null, pid: Number(old[1]), comm: old[2]!.trim(), ...tainted(old[3]) };
  const process = PROCESS.exec(text);
  if (process !== null) return { cpu: null, pid: Number(process[2]), comm: process[1]!, release: null, taints: null };
  const alone = /^CPU:? (\d{1,5})\s*$/.exec(text);
  return alone === null ? null : { cpu: Number(alone[1]), pid: null, comm: null, release: null, taints: null };
}

/** `WARNING: CPU: 0 PID: 95 at fs/file.c:12 …`. */
function warning(text: string): ProcessLine | null {
  const match = /^WARNING: CPU: (\d{1,5}) PID: (\d{1,10}) at /.exec(text);
  return match === null
    ? null
    : { cpu: Number(match[1]), pid: Number(match[2]), comm: null, release: null, taints: null };
}

function tainted(taint: string | undefined): Pick<ProcessLine, "release" | "taints"> {
  if (taint === undefined) return { release: null, taints: null };
  const letters = /^Tainted: ([A-Z ]{1,40}?)(?=\s+[[\d]|$)/.exec(taint)?.[1];
  return { release: RELEASE.exec(taint)?.[1] ?? null, taints: taint.startsWith("Not") ? "" : (letters ?? null) };
}
