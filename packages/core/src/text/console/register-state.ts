/** The registers of one report, gathered line by line. */
import type { RegisterLine } from "./register-line.ts";
import type { CodePlace, RegisterDump } from "./report.ts";

/** Registers kept of one dump; no architecture has more. */
const MAX_REGISTERS = 96;

export class RegisterState {
  #line = -1;
  #pc: CodePlace | null = null;
  #userMode = false;
  #seenPc = false;
  readonly #values = new Map<string, bigint>();
  #conflicts = 0;

  get hasPc(): boolean {
    return this.#seenPc;
  }

  get conflicts(): number {
    return this.#conflicts;
  }

  get values(): ReadonlyMap<string, bigint> {
    return this.#values;
  }

  push(read: RegisterLine, line: number): void {
    if (this.#line < 0) this.#line = line;
    if (read.pc !== null || read.userMode !== null) {
      // "RIP: 0010:[<…>]" and behind a line break its symbol; "pc : [<…>]" and before it "PC is at fn".
      if (this.#pc === null || this.#pc.function === null)
        this.#pc = { ...(read.pc ?? this.#pc!), address: read.pc?.address ?? this.#pc?.address ?? null };
      else if (this.#pc.address === null && read.pc?.function == null)
        this.#pc = { ...this.#pc, address: read.pc?.address ?? null };
      this.#userMode = read.userMode ?? this.#userMode;
      this.#seenPc = true;
    }
    for (const [name, value] of read.values) {
      const before = this.#values.get(name);
      if (before !== undefined) {
        if (before !== value && name !== "fault") this.#conflicts++;
      } else if (this.#values.size < MAX_REGISTERS) this.#values.set(name, value);
    }
  }

  /** @param address the faulting address that a headline named, where no register has it */
  dump(address: bigint | null, errorCode: number | null): RegisterDump | null {
    if (this.#line < 0 || (!this.#seenPc && this.#values.size < 4)) return null;
    const values = this.#values;
    return {
      line: this.#line,
      pc: this.#pc,
      userMode: this.#userMode,
      sp: values.get("rsp") ?? values.get("esp") ?? values.get("sp") ?? this.#numberedSp() ?? null,
      // Printing the code bytes may fault too, and then CR2 is of that: what the headline names comes first.
      faultAddress: address ?? values.get("cr2") ?? values.get("fault") ?? values.get("badaddr") ?? null,
      registers: values,
      errorCode,
    };
  }

  /** powerpc keeps its stack pointer in r1, s390 in r15. */
  #numberedSp(): bigint | undefined {
    if (this.#values.has("r31")) return this.#values.get("r1");
    return this.#values.has("r0") && this.#values.has("r15") ? this.#values.get("r15") : undefined;
  }
}
