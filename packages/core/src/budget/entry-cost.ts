/** What lies on a stack before an entry's function is called there. */
import type { CallGraph } from "./call-graph.ts";
import type { FunctionNames } from "./function-names.ts";
import type { GraphIndex } from "./graph-index.ts";

/** sizeof(struct pt_regs) on x86_64: 21 registers; entry code pushes them at the top of a task's stack. */
export const PT_REGS_BYTES = 168;
/** An interrupt in kernel mode aligns RSP to 16 before the CPU pushes (Intel SDM 3, 6.14.2). */
export const INTERRUPT_ALIGN_BYTES = 8;
/**
 * What asm_exc_nmi keeps on the NMI stack beside pt_regs: the frame that the CPU pushed, a saved register, the mark that an NMI
 * is under way, and a copy of the frame to go back to (arch/x86/entry/entry_64.S, "NMI from kernel"): 5, 1, 1 and 5 words.
 */
export const NMI_FRAMES_BYTES = 96;
/** The old RSP, which the switch to the IRQ stack leaves at its top (arch/x86/include/asm/irq_stack.h). */
export const IRQ_STACK_TOP_BYTES = 8;
/** KSTACK_OFFSET_MAX, include/linux/randomize_kstack.h: 10 bits since 39218ff4c625 (5.13). */
export const RANDOM_OFFSET_BYTES = 1024;

/** Functions that call one another; each by its name, or by several that releases have used. */
export type Chain = readonly (string | readonly string[])[];

/**
 * Bytes from the CFA of the first function of a chain to the CFA of what the last one calls. A link may be a clone
 * (`.isra.0`) of the function by its name; one that the graph does not have was inlined into the one before. At each link the deepest call
 * counts that leads to the next one; at the last one the deepest that leads to `last`, or failing that an indirect one.
 */
export function chainBytes(index: GraphIndex, names: FunctionNames, chain: Chain, last: number | null): number {
  const links = chain.flatMap((link) => {
    for (const name of typeof link === "string" ? [link] : link) {
      const f = names.all(name)[0] ?? names.clones(name)[0];
      if (f !== undefined) return [f];
    }
    return [];
  });
  let bytes = 0;
  links.forEach((f, at) => {
    const next = links[at + 1] ?? last;
    bytes += next === null ? deepestCall(index, f, "indirect") : deepestCallTo(index, f, next);
  });
  return bytes;
}

function deepestCallTo(index: GraphIndex, f: number, callee: number): number {
  const direct = deepestCall(index, f, callee);
  return direct > 0 ? direct : deepestCall(index, f, "indirect");
}

function deepestCall({ graph, firstSite }: GraphIndex, f: number, wanted: number | "indirect"): number {
  const { sites } = graph satisfies CallGraph;
  let most = 0;
  for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
    const fits = wanted === "indirect" ? (sites.callee[site] as number) < 0 : sites.callee[site] === wanted;
    if (fits) most = Math.max(most, sites.bytes[site] as number);
  }
  return most;
}
