import type { Terminal } from "./terminal.ts";

/** Work that is done sooner needs no progress shown, in milliseconds. */
const PATIENCE = 1000;
/** How often the line changes at most, in milliseconds. */
const INTERVAL = 100;

/** One line on a terminal that says how far long work is; nothing for short work, nothing where nobody looks. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #next: number;
  #shown = false;

  constructor(terminal: Terminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
    this.#next = now() + PATIENCE;
  }

  /** @param total 0 where it is not known */
  show(step: string, done: number, total: number): void {
    if (!this.#terminal.interactive || this.#now() < this.#next) return;
    this.#next = this.#now() + INTERVAL;
    this.#shown = true;
    const share = total > 0 ? ` ${Math.floor((100 * done) / total)} %` : "";
    this.#terminal.writeError(`\r\x1b[K${`${step}${share}`.slice(0, this.#terminal.width - 1)}`);
  }

  clear(): void {
    if (this.#shown) this.#terminal.writeError("\r\x1b[K");
    this.#shown = false;
  }
}
