/** Measures of the drawing of a stack, and where in it an address lies. Pixels. */
import type { MappedStack } from "@spillway/core";

/** The guard page is not drawn to scale: it is only there to be seen. */
export const GUARD_HEIGHT = 26;
export const STACK_HEIGHT = 400;

export class Scale {
  readonly #low: bigint;
  readonly #perByte: number;

  constructor(stack: MappedStack) {
    this.#low = BigInt(stack.low);
    this.#perByte = STACK_HEIGHT / Number(BigInt(stack.high) - this.#low);
  }

  y(address: string): number {
    const offset = Number(BigInt(address) - this.#low);
    // Below the low end: within the guard page's drawing, however far it is.
    return offset >= 0 ? GUARD_HEIGHT + offset * this.#perByte : Math.max(4, GUARD_HEIGHT * (1 + offset / 4096));
  }
}
