/** The call traces of one report, gathered line by line. */
import type { CallTrace, CodePlace, StackMarker, TraceEntry } from "./report.ts";
import { type ReadEntry, readEntries, readMarker } from "./trace-entry.ts";

/** Entries and traces kept; a 32 KiB stack holds 4,096 words. */
const MAX_ENTRIES = 8192;
const MAX_TRACES = 64;

interface OpenTrace {
  readonly line: number;
  readonly entries: TraceEntry[];
  reachesUser: boolean;
  elided: number;
}

const HEAD = /^(?:Call Trace|Call trace|Backtrace|Stack backtrace|Call backtrace)\s?:\s*(.*)$/;
const ELIDED =
  /^(?:\.\.\.|\[\.\.\.\]|<\.\.\.>|-+)?\s*(?:(\d{1,6}) (?:lines?|entries|frames) (?:elided|skipped|omitted|not shown)|(?:\.{3}|\[\.\.\.\])$)/;

export class TraceState {
  readonly #traces: OpenTrace[] = [];
  #open: OpenTrace | null = null;
  #marker: StackMarker | null = null;
  /** A return address whose function a line break put on the next line. */
  #pending = "";

  get isOpen(): boolean {
    return this.#open !== null;
  }

  get entries(): number {
    return this.#traces.reduce((sum, trace) => sum + trace.entries.length, 0);
  }

  /** Is this the line that begins a trace? What follows the colon is read too. */
  begin(text: string, line: number): boolean {
    const head = HEAD.exec(text);
    if (head === null) return false;
    this.#start(line);
    if (head[1] !== "") this.push(head[1]!, line);
    return true;
  }

  #start(line: number): void {
    this.#marker = null;
    this.#pending = "";
    const last = this.#traces.at(-1);
    if (last !== undefined && last.entries.length === 0) {
      this.#open = last;
      return;
    }
    this.#open = { line, entries: [], reachesUser: false, elided: 0 };
    if (this.#traces.length < MAX_TRACES) this.#traces.push(this.#open);
  }

  /** Reads a line of an open trace. @returns whether it was one */
  push(text: string, line: number): boolean {
    const open = this.#open;
    if (open === null) return false;
    const marker = readMarker(text);
    if (marker !== null) {
      this.#marker = marker.ends ? null : marker.name;
      const behind = text
        .slice(text.indexOf(">") + 1)
        .replace(/^>+\s*/, "")
        .trim();
      if (behind !== "") this.#add(open, readEntries(behind), line);
      return true;
    }
    if (/^\[<[0-9a-f]{8,16}>\](?: \?)?$/.test(text)) {
      this.#pending = text;
      return true;
    }
    const elided = ELIDED.exec(text);
    if (elided !== null) {
      open.elided += Math.max(1, Number(elided[1] ?? 1));
      return true;
    }
    const entries = readEntries(this.#pending === "" ? text : `${this.#pending} ${text}`);
    this.#pending = "";
    this.#add(open, entries, line);
    return entries.length > 0;
  }

  #add(open: OpenTrace, entries: readonly ReadEntry[], line: number): void {
    for (const entry of entries) {
      // What follows the user's registers belongs to something else.
      if (open.reachesUser || open.entries.length >= MAX_ENTRIES) return;
      open.entries.push({ ...entry, marker: this.#marker, line });
    }
  }

  /** Registers within the trace: an exception hit this place. */
  interrupted(place: CodePlace, line: number): void {
    // An exception on a stack of its own hit code on another, which the log names only where a marker follows.
    if (this.#marker !== null && /^(?:#|NMI)/.test(this.#marker)) this.#marker = null;
    this.#add(this.#open!, [{ ...place, stale: false, sp: null, interrupted: true, inlined: false }], line);
  }

  /** Stack pointer of the exception just read. */
  interruptedSp(sp: bigint): void {
    const entries = this.#open?.entries;
    const last = entries?.at(-1);
    if (last?.interrupted && last.sp === null) entries!.splice(-1, 1, { ...last, sp });
  }

  reachUser(): void {
    if (this.#open !== null) this.#open.reachesUser = true;
  }

  get userReached(): boolean {
    return this.#open?.reachesUser ?? false;
  }

  close(): void {
    this.#open = null;
  }

  traces(): CallTrace[] {
    return this.#traces.filter((trace) => trace.entries.length > 0 || trace.reachesUser);
  }
}
