/**
 * Who can have changed the reference canary: it lies among the CPU's own variables, so code that writes per-CPU memory at
 * an address it computes (`%gs:` with a register) reaches it with a wrong index or pointer.
 */
import type { Instruction } from "../code/instruction.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";

/** Calls followed from the function that noticed. */
const MAX_DEPTH = 2;
const MAX_FUNCTIONS = 64;

function writesComputedPerCpu(instruction: Instruction): boolean {
  const [first] = instruction.operands;
  if (first?.kind !== "memory" || first.segment !== "gs") return false;
  if (first.base === null && first.index === null) return false;
  return !/^(cmp|test|push|call|jmp|nop)$/.test(instruction.mnemonic) && instruction.flow === "next";
}

/**
 * The check passed when its function was entered and failed at its end, so the change came in between: the function itself
 * and what it calls are looked at, those in modules first. Null where none of them writes so.
 */
export function findPerCpuWriter(facts: CrashFacts, detector: number): FunctionRange | null {
  const { kernel, context, frames, evidence } = facts;
  const start = kernel.symbols.functionAt(frames[detector]!.address - 1n);
  if (start === null) return null;
  const seen = new Set<bigint>();
  let level: FunctionRange[] = [start];
  const found: { range: FunctionRange; at: bigint }[] = [];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: FunctionRange[] = [];
    for (const range of level) {
      if (seen.has(range.start) || seen.size >= MAX_FUNCTIONS) continue;
      seen.add(range.start);
      for (const instruction of context.reader.functionAt(range.start)?.instructions ?? []) {
        if (writesComputedPerCpu(instruction)) found.push({ range, at: instruction.address });
        const callee =
          instruction.flow === "call" && instruction.target !== null
            ? kernel.symbols.functionAt(instruction.target)
            : null;
        if (callee !== null) next.push(callee);
      }
    }
    level = next;
  }
  const writer = found.find((one) => one.range.module !== null) ?? found[0];
  if (writer === undefined) return null;
  const name = writer.range.module === null ? writer.range.name : `${writer.range.name} [${writer.range.module}]`;
  evidence.add(
    "per-cpu-store",
    writer.at,
    `${name}${writer.range.start === start.start ? "" : `, which ${frameName(frames[detector]!)} calls,`} writes to per-CPU memory at an address that it computes, at ${hex(writer.at)}.`,
  );
  // The kernel's own per-CPU counters are everywhere: only a module's are worth a name.
  return writer.range.module === null ? null : writer.range;
}
