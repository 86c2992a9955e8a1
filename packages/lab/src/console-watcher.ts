import type { Readable } from "node:stream";
import { SpillwayError } from "@spillway/core";

/** Lines of the console that an error shows. */
const TAIL_LINES = 25;

interface Waiter {
  readonly patterns: readonly RegExp[];
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: SpillwayError) => void;
  readonly what: string;
  timer: NodeJS.Timeout | null;
}

/** Reads a guest's serial console as it comes and lets others wait for what it says. */
export class ConsoleWatcher {
  #text = "";
  #from = 0;
  #closed: string | null = null;
  #waiter: Waiter | null = null;

  /** Starts to read. */
  constructor(stream: Readable) {
    stream.setEncoding("latin1");
    stream.on("data", (chunk: string) => {
      this.#text += chunk;
      this.#check();
    });
  }

  /** All that was printed so far. */
  get text(): string {
    return this.#text;
  }

  /** The last lines printed. */
  tail(lines = TAIL_LINES): string[] {
    return this.#text.trimEnd().split(/\r*\n/).slice(-lines);
  }

  /**
   * Waits for the first of some patterns in what no earlier wait has passed.
   * @throws SpillwayError SPW_LAB_TIMEOUT at the deadline, SPW_LAB_GUEST_ENDED when nothing more can come
   */
  waitFor(what: string, patterns: readonly RegExp[], timeoutMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { patterns, resolve, reject, what, timer: null };
      waiter.timer = setTimeout(() => {
        const seconds = Math.round(timeoutMs / 1000);
        this.#fail(this.#error("SPW_LAB_TIMEOUT", `no ${what} on the console after ${seconds} s`, what));
      }, timeoutMs);
      this.#waiter = waiter;
      this.#check();
    });
  }

  /** Ends the wait: nothing more will come. */
  close(reason: string): void {
    this.#closed ??= reason;
    this.#check();
  }

  #check(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const fresh = this.#text.slice(this.#from);
    let first: RegExpExecArray | null = null;
    for (const pattern of waiter.patterns) {
      const match = pattern.exec(fresh);
      if (match !== null && (first === null || match.index < first.index)) first = match;
    }
    if (first !== null) {
      this.#from += first.index + first[0].length;
      this.#settle();
      waiter.resolve(first);
    } else if (this.#closed !== null) {
      this.#fail(this.#error("SPW_LAB_GUEST_ENDED", `${this.#closed} before there was a ${waiter.what}`, waiter.what));
    }
  }

  #error(code: `SPW_${string}`, message: string, what: string): SpillwayError {
    const last = this.tail();
    return new SpillwayError(code, message, {
      class: "environment",
      facts: { waitedFor: what, console: last },
      hint: `the console ended with:\n${last.map((line) => `  ${line}`).join("\n")}`,
    });
  }

  #fail(error: SpillwayError): void {
    const waiter = this.#waiter;
    this.#settle();
    waiter?.reject(error);
  }

  #settle(): void {
    if (this.#waiter?.timer) clearTimeout(this.#waiter.timer);
    this.#waiter = null;
  }
}
