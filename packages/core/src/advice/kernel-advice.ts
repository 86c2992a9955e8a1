/** The context of advice on a dump. */

import type { Kernel } from "../kernel/kernel.ts";
import { type ConfigFile, kernelOptions } from "../kernel/kernel-options.ts";
import type { AdviceContext, Leads } from "./advice-input.ts";

/** Letters of the bits of `tainted_mask` (kernel/panic.c, `taint_flags`); bit 0 is P or, without it, G. */
const TAINT_LETTERS = "PFSRMBUDAWCIOELKXTNJ";

function taintsOf(kernel: Kernel): string | null {
  const symbol = kernel.symbols.byName("tainted_mask", null);
  const mask = symbol === null ? null : kernel.memory.u64(symbol.address);
  if (mask === null) return null;
  return [...TAINT_LETTERS].filter((_letter, bit) => ((mask >> BigInt(bit)) & 1n) === 1n).join("");
}

/** @param config beside the dump, where the user gave one */
export function kernelAdvice(kernel: Kernel, leads: Leads, config: ConfigFile | null = null): AdviceContext {
  return {
    options: kernelOptions(kernel, config),
    get taintedModules() {
      return kernel.symbols.modules.filter(({ taints }) => taints !== "");
    },
    get taints() {
      return taintsOf(kernel);
    },
    log: () => kernel.log().map((record) => record.text),
    dumpLevel: kernel.image.header?.dumpLevel || null,
    imageProblems: kernel.image.problems.map((problem) => problem.code),
    leads,
  };
}
