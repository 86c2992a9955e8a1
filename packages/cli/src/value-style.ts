import { type Kernel, SpillwayError, type ValueStyle } from "@spillway/core";
import { nameOf } from "./location.ts";

/** Further behind a symbol than this, in bytes, an address is seldom within what the symbol names. */
const NEAR = 4096;
/** Longest text that is shown behind a pointer to it, in bytes. */
const MAX_TEXT = 128;

export interface RadixOptions {
  readonly x?: boolean;
  readonly d?: boolean;
}

/**
 * Radix of `-x` and `-d`; decimal without either.
 * @throws SpillwayError `SPW_USAGE` where both are given
 */
export function radixOf(options: RadixOptions): 10 | 16 {
  if (options.x && options.d) throw new SpillwayError("SPW_USAGE", "-x and -d exclude each other", { class: "usage" });
  return options.x ? 16 : 10;
}

/** How values out of this dump are written: pointers with the symbols they point to, `char *` with its text. */
export function valueStyle(kernel: Kernel, options: RadixOptions): ValueStyle {
  return {
    radix: radixOf(options),
    symbolize: (address) => {
      const at = kernel.symbols.byAddress(address);
      return at === null || at.offset > NEAR ? null : nameOf(address, kernel.symbols);
    },
    text: (address) => kernel.memory.cstring(address, MAX_TEXT),
  };
}
