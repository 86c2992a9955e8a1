/** Reads a kernel log, whatever it went through on its way, for the crashes in it. */
import { CrashBuilder } from "./crash-builder.ts";
import { isConsequence, panicMessage, readHeadline } from "./headlines.ts";
import { type LogLine, readLine } from "./log-line.ts";
import { orderText } from "./order-text.ts";
import { readRegisterLine } from "./register-line.ts";
import type { ConsoleCrash, ConsoleLog, Headline } from "./report.ts";
import { isSoft } from "./severity.ts";
import { readEntries } from "./trace-entry.ts";

/** While no report is open, only lines with one of these are looked at. */
const WORTH_A_LOOK =
  /BUG|Oops|PANIC|anic - not|WARNING: |nable to handle|tack overflow|tack corrupted|tack is corrupted|overran stack|general protection|double fault|Insufficient stack|Internal error: |\[#\d+\]|lockup|LOCKUP|detected stall|self-detected|INFO: |UBSAN: |corruption|near stack|overflown|unwind stack type|Linux version |RIP: ?[0-9a-f]{4}:|EIP is at|PC is at|Krnl PSW|NIP \[|pc : |usercopy|attempted to (?:read|write|execute)/g;

/** Lines that say nothing, after which a report is over. */
const QUIET = 300;
/** Reports kept, of crashes and of warnings each. Behind so many crashes nothing is looked for any more. */
const MAX_REPORTS = 500;

interface Stream {
  builder: CrashBuilder | null;
  /** A report in whose trace another CPU's began, in a log without caller ids: entries go on until that has a trace too. */
  interrupted: CrashBuilder | null;
  quiet: number;
}

class ConsoleParser {
  readonly #streams = new Map<string, Stream>();
  #last = "";
  readonly #crashes: ConsoleCrash[] = [];
  #release: string | null = null;
  #banner: string | null = null;
  #crashedBanner: string | null = null;
  #open = 0;
  #soft = 0;
  #hard = 0;

  get idle(): boolean {
    return this.#open === 0;
  }

  get full(): boolean {
    return this.#hard >= MAX_REPORTS;
  }

  get crashes(): readonly ConsoleCrash[] {
    return this.#crashes;
  }

  get release(): string | null {
    return this.#release;
  }

  /** The banner of the boot that crashed first; without a crash, the last one. */
  get banner(): string | null {
    return this.#crashedBanner ?? this.#banner;
  }

  push(line: LogLine): void {
    const boot = /Linux version (\d\S{0,80})/.exec(line.text);
    if (boot !== null) {
      this.finish();
      this.#release = boot[1]!;
      this.#banner = line.text;
      return;
    }
    // Lines of one writer belong together; those without a name follow the last.
    const name = line.caller ?? this.#last;
    this.#last = name;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      if (this.#streams.size > 4096) this.finish();
      stream = { builder: null, interrupted: null, quiet: 0 };
      this.#streams.set(name, stream);
    }
    if (line.text.startsWith("---[ end Kernel panic")) {
      this.#close(stream, false);
      return;
    }
    const headline = readHeadline(line.text, line.index);
    if (headline !== null) {
      this.#headline(stream, headline, line);
      return;
    }
    if (stream.builder === null) {
      this.#withoutHeadline(stream, line);
      return;
    }
    if (stream.interrupted !== null && !stream.builder.traceBegun && readEntries(line.text).length > 0) {
      stream.interrupted.push(line);
      return;
    }
    stream.quiet = stream.builder.push(line) ? 0 : stream.quiet + 1;
    if (stream.builder.traceBegun) this.#closeInterrupted(stream);
    if (stream.quiet > QUIET) this.#close(stream, false);
  }

  #headline(stream: Stream, headline: Headline, line: LogLine): void {
    const { builder } = stream;
    if (builder !== null && continues(builder, headline)) {
      builder.addHeadline(headline, line);
      stream.quiet = 0;
      return;
    }
    if (builder?.inTrace === true && line.caller === null) {
      this.#closeInterrupted(stream);
      stream.interrupted = builder;
    } else this.#close(stream, false);
    stream.builder = new CrashBuilder(headline, line);
    stream.quiet = 0;
    this.#open++;
  }

  /** A log that was cut at its front may begin with the registers. */
  #withoutHeadline(stream: Stream, line: LogLine): void {
    const registers = readRegisterLine(line.text);
    if (registers?.pc == null || registers.userMode === true) return;
    stream.builder = new CrashBuilder(
      { kind: "other", text: line.text, line: line.index, at: null, address: null, detail: null },
      line,
    );
    stream.builder.push(line);
    stream.quiet = 0;
    this.#open++;
  }

  #close(stream: Stream, cut: boolean): void {
    this.#closeInterrupted(stream);
    if (stream.builder === null) return;
    this.#add(stream.builder.build(cut));
    stream.builder = null;
  }

  #closeInterrupted(stream: Stream): void {
    if (stream.interrupted === null) return;
    this.#add(stream.interrupted.build(false));
    stream.interrupted = null;
  }

  #add(crash: ConsoleCrash): void {
    this.#open--;
    if (this.#crashes.length === 0) this.#crashedBanner = this.#banner;
    const soft = isSoft(crash);
    const kept = soft ? this.#soft++ : this.#hard++;
    if (kept < MAX_REPORTS) {
      this.#crashes.push(crash.release === null ? { ...crash, release: this.#release } : crash);
    }
  }

  finish(): void {
    for (const stream of this.#streams.values()) this.#close(stream, true);
    this.#streams.clear();
    this.#last = "";
  }
}

/** Does this statement belong to the report that is open? */
function continues(builder: CrashBuilder, headline: Headline): boolean {
  const message = panicMessage(headline.text);
  if (message !== null) {
    if (builder.panicked) return false;
    return isConsequence(message) || (!builder.hasBody && builder.headline.kind !== "warning");
  }
  // What the unwinder complains of, it does while it prints a report.
  if (headline.kind === "unwinder") return true;
  if (headline.kind === "stack-end-at-fault") return true;
  // An oops has its number, and after that its registers: another statement is of the next one.
  if (builder.hasDie || builder.hasBody) return false;
  if (/\[#\d+\]/.test(headline.text)) return true;
  // Before its registers and trace a report may make several statements.
  return headline.kind !== "lockup" && !sameStatement(headline.text, builder.headline.text);
}

/** The same statement once more, about something else: "INFO: task a …" and "INFO: task b …". */
function sameStatement(a: string, b: string): boolean {
  return a.slice(0, 12) === b.slice(0, 12);
}

/** Finds the crashes in a kernel log. Never throws; a log without one gives none. Time grows with the text's length only. */
export function parseConsole(text: string): ConsoleLog {
  const ordered = orderText(text);
  const parser = new ConsoleParser();
  let lines = 0;
  for (let start = 0; start < ordered.length && !parser.full; ) {
    if (parser.idle) {
      WORTH_A_LOOK.lastIndex = start;
      const next = WORTH_A_LOOK.exec(ordered);
      if (next === null) break;
      for (let end = ordered.indexOf("\n", start); end >= 0 && end < next.index; end = ordered.indexOf("\n", start)) {
        start = end + 1;
        lines++;
      }
    }
    let end = ordered.indexOf("\n", start);
    if (end < 0) end = ordered.length;
    for (const line of readLine(ordered.slice(start, end), lines)) parser.push(line);
    lines++;
    start = end + 1;
  }
  parser.finish();
  const crashes = [...parser.crashes].sort((a, b) => a.from - b.from);
  return {
    crashes,
    release: parser.release,
    banner: parser.banner,
    arch: crashes.find((crash) => crash.arch !== null)?.arch ?? null,
    lines,
  };
}
