/** ORC entries of one function after the other as columns, for passes over all code. */
import type { OrcEntry, OrcRegister, OrcTable } from "./orc.ts";

export const ORC_REGISTERS: readonly OrcRegister[] = [
  "undefined",
  "prev-sp",
  "dx",
  "di",
  "bp",
  "sp",
  "r10",
  "r13",
  "bp-indirect",
  "sp-indirect",
];
export const ORC_TYPES: readonly OrcEntry["type"][] = ["call", "regs", "regs-partial", "undefined", "end"];

/** The entries in force over a range of code, ascending. */
export class OrcRun {
  count = 0;
  /** First address that each covers, low 32 bits, signed; that of the first one may lie before the range. */
  address = new Int32Array(64);
  /** Index into ORC_REGISTERS. */
  spRegister = new Uint8Array(64);
  spOffset = new Int32Array(64);
  /** Index into ORC_TYPES. */
  type = new Uint8Array(64);

  clear(): void {
    this.count = 0;
  }

  push(address: number, spRegister: number, spOffset: number, type: number): void {
    if (this.count === this.address.length) this.#grow();
    const at = this.count++;
    this.address[at] = address;
    this.spRegister[at] = spRegister;
    this.spOffset[at] = spOffset;
    this.type[at] = type;
  }

  #grow(): void {
    const { address, spRegister, spOffset, type } = this;
    const capacity = this.address.length * 2;
    this.address = new Int32Array(capacity);
    this.spRegister = new Uint8Array(capacity);
    this.spOffset = new Int32Array(capacity);
    this.type = new Uint8Array(capacity);
    this.address.set(address);
    this.spRegister.set(spRegister);
    this.spOffset.set(spOffset);
    this.type.set(type);
  }
}

/**
 * Adds the entries in force from `start` to `end` to a run, behind what it holds.
 * @param addresses those at which a table that only answers one question at a time is asked, ascending, low 32 bits
 */
export function collectOrc(
  orc: OrcTable,
  start: bigint,
  end: bigint,
  into: OrcRun,
  addresses: () => Iterable<number>,
): void {
  if (orc.collect !== undefined) {
    orc.collect(start, end, into);
    return;
  }
  let last: bigint | null = null;
  for (const address of addresses()) {
    const entry = orc.find(BigInt.asUintN(64, BigInt(address)));
    if (entry === null) {
      if (last !== null) into.push(address, 0, 0, ORC_TYPES.indexOf("undefined"));
      last = null;
    } else if (entry.address !== last) {
      last = entry.address;
      into.push(
        Number(BigInt.asIntN(32, entry.address)),
        ORC_REGISTERS.indexOf(entry.spRegister),
        entry.spOffset,
        ORC_TYPES.indexOf(entry.type),
      );
    }
  }
}
