import { setFlagsFromString } from "node:v8";

/**
 * Sets V8 up for runs of seconds. Call it before the first instruction is decoded.
 *
 * The disassembler is WebAssembly, and V8 recompiles its busy functions with the optimising compiler after 13 million units of
 * work: in a run of a quarter of a second that only costs, 20 MB of memory most of all.
 *
 * Nor do most functions of a budget run long enough to pay for what TurboFan spends on them, by default after 3,000 calls and with
 * 920 bytes of bytecode inlined, while both processors are busy with the work itself: later and with less inlined, a budget takes
 * 7 % less time and 11 % less of the processors (medians of four runs in turn, 8.29 to 8.90 s and 12.09 to 13.57 s; measure with
 * bench/budget/speed.ts).
 */
export function tuneEngine(): void {
  const flags = [
    "--wasm-tiering-budget=400000000",
    "--invocation-count-for-turbofan=12000",
    "--invocation-count-for-osr=2500",
    "--max-inlined-bytecode-size-cumulative=300",
  ];
  for (const flag of flags) setFlagsFromString(flag);
}
