/** Sorts out most addresses that are not among some known ones, before they are looked up. */
const BITS = 1 << 20;
const FACTOR = 0x9e3779b1;

export class AddressFilter {
  readonly #bits = new Uint8Array(BITS / 8);

  add(address: number): void {
    const bit = bitOf(address);
    this.#bits[bit >>> 3]! |= 1 << (bit & 7);
  }

  /** True of all that were added, and of few others. */
  mayHave(address: number): boolean {
    const bit = bitOf(address);
    return (this.#bits[bit >>> 3]! & (1 << (bit & 7))) !== 0;
  }
}

function bitOf(address: number): number {
  return Math.imul(address, FACTOR) >>> 12;
}
