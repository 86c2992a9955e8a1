import type { Terminal } from "./terminal.ts";

/** Shows the step under way on one line of a terminal that is rewritten; nothing where nobody looks. */
export class StepLine {
  readonly #terminal: Terminal;
  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(step: string): void {
    if (this.#terminal.interactive) this.#terminal.writeError(`\r\x1b[K${step.slice(0, this.#terminal.width - 4)} ...`);
  }

  clear(): void {
    if (this.#terminal.interactive) this.#terminal.writeError("\r\x1b[K");
  }
}
