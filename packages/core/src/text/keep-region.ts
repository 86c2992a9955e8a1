/** Keeps of a long log what matters: the stretches around crashes, and what is said at boot. */

/** Texts up to this length are kept whole. Characters. */
const WHOLE = 16 << 20;
/** No more than this is kept. Characters. */
const LIMIT = 64 << 20;
/** Lines kept before and behind one that speaks of a crash. */
const BEFORE = 50;
const BEHIND = 3000;

const CRASH =
  /BUG|Oops|PANIC|anic - not|WARNING: |nable to handle|tack|double fault|general protection|Internal error: |\[#\d+\]|lockup|LOCKUP|stall|Linux version |RIP: ?[0-9a-f]{4}:|EIP is at|PC is at|Krnl PSW|NIP \[|Part\d|crash>|TASK: /;

/** Takes text in pieces, as it is read, and gives it back without the long stretches in which nothing happened. */
export class RegionKeeper {
  #kept: string[] = [];
  #length = 0;
  #total = 0;
  /** The end of the last piece, up to which no line is complete. */
  #tail = "";
  /** Lines that are kept if a crash follows. */
  #recent: string[] = [];
  #hot = 0;
  #filtering = false;

  push(piece: string): void {
    this.#total += piece.length;
    if (!this.#filtering && this.#total <= WHOLE) {
      this.#keep(piece);
      return;
    }
    if (!this.#filtering) {
      this.#filtering = true;
      const whole = this.#kept.join("");
      this.#kept = [];
      this.#length = 0;
      this.#filter(whole);
    }
    this.#filter(piece);
  }

  #filter(piece: string): void {
    const lines = (this.#tail + piece).split("\n");
    this.#tail = lines.pop()!;
    // A stream without line ends is no log.
    if (this.#tail.length > 1 << 20) this.#tail = "";
    for (const line of lines) {
      if (CRASH.test(line)) {
        if (this.#hot === 0) for (const recent of this.#recent) this.#keep(`${recent}\n`);
        this.#recent = [];
        this.#hot = BEHIND;
      }
      if (this.#hot > 0) {
        this.#hot--;
        this.#keep(`${line}\n`);
      } else {
        this.#recent.push(line);
        if (this.#recent.length > BEFORE * 2) this.#recent = this.#recent.slice(-BEFORE);
      }
    }
  }

  #keep(text: string): void {
    if (this.#length + text.length > LIMIT) return;
    this.#kept.push(text);
    this.#length += text.length;
  }

  /** What was kept, in its order. */
  finish(): string {
    if (this.#filtering && this.#hot > 0) this.#keep(this.#tail);
    return this.#kept.join("");
  }
}
