/** The `Code:` line of one report, put together where it was wrapped. */
import type { CodeBytes } from "./report.ts";
import { continueCode, readCode } from "./stack-line.ts";

export class CodeState {
  readonly #bytes: number[] = [];
  #at: number | null = null;
  /** The line just read may go on in the next. */
  #open = false;

  /** Reads what continues a wrapped line; only directly behind it. */
  continue(text: string): boolean {
    if (!this.#open) return false;
    this.#open = false;
    const more = this.#at === null ? continueCode(text) : null;
    if (more === null) return false;
    if (more.at !== null) this.#at = this.#bytes.length + more.at;
    this.#bytes.push(...more.bytes);
    return true;
  }

  /** @param ofUser what is printed now is the user's code, which is nobody's concern */
  push(text: string, ofUser: boolean): boolean {
    if (!text.startsWith("Code")) return false;
    const code = readCode(text);
    if (code === null) return /^Code: (?:Unable|Bad)/.test(text);
    if (ofUser || this.#bytes.length > 0) return true;
    this.#bytes.push(...code.bytes);
    this.#at = code.at;
    this.#open = true;
    return true;
  }

  code(): CodeBytes | null {
    return this.#bytes.length === 0 ? null : { bytes: Uint8Array.from(this.#bytes), at: this.#at };
  }
}
