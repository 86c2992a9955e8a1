/**
 * Who can have changed the reference canary: it lies among the CPU's own variables, so code that writes per-CPU memory at
 * an address it computes reaches it with a wrong index or pointer.
 */
import { addressUsers } from "../code/address-users.ts";
import { isReferenceCanary } from "../code/canary.ts";
import { writesFirstOperand } from "../code/frame-layout.ts";
import type { Instruction } from "../code/instruction.ts";
import { followPointer } from "../code/pointer-flow.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { backtrace } from "../unwind/unwind.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";

/** Calls followed from the function that noticed, and from those that another CPU was in. */
const MAX_DEPTH = 2;
const MAX_FUNCTIONS = 64;
const MOST_CPUS = 16;
const MOST_MODULES = 256;

export interface PerCpuWriter {
  readonly function: FunctionRange;
  readonly at: bigint;
  /** `exact`: it names the reference itself; `computed`: it writes per-CPU memory at an address it computes. */
  readonly how: "exact" | "computed";
}

/**
 * The check passed when its function was entered and failed at its end, so the change came in between: the function itself
 * and what it calls are looked at, those in modules first. Null where none of them writes so.
 */
export function findPerCpuWriter(facts: CrashFacts, detector: number): PerCpuWriter | null {
  const { kernel, frames } = facts;
  const start = kernel.symbols.functionAt(frames[detector]!.address - 1n);
  if (start === null) return null;
  const writer = best(writersFrom(facts, [start]));
  if (writer === null) return null;
  const calls = writer.function.start === start.start ? "" : `, which ${frameName(frames[detector]!)} calls,`;
  return told(facts, writer, calls);
}

/** The same in what the other CPUs were doing when the dump was taken. */
export function findPerCpuWriterElsewhere(facts: CrashFacts): PerCpuWriter | null {
  const { kernel } = facts;
  const own = facts.cpu?.number ?? facts.trace.cpu;
  for (const cpu of kernel.cpus.slice(0, MOST_CPUS)) {
    if (cpu.number === own || cpu.currentTask === null) continue;
    const { frames } = backtrace(kernel, { task: cpu.currentTask });
    const functions = frames.flatMap((frame) => {
      const range = frame.module === null ? null : kernel.symbols.functionAt(frame.address - 1n);
      return range === null ? [] : [range];
    });
    const writer = best(writersFrom(facts, functions));
    if (writer !== null) return told(facts, writer, `, in the call chain of CPU ${cpu.number},`);
  }
  const only = onlyModuleWriter(facts);
  return only === null ? null : told(facts, only, ", alone among the modules' functions,");
}

/** The one function of all modules that names the table of the CPUs' offsets and stores to what it finds there. */
function onlyModuleWriter(facts: CrashFacts): PerCpuWriter | null {
  const { kernel, context } = facts;
  const table = kernel.symbols.byName("__per_cpu_offset", null)?.address ?? null;
  if (table === null) return null;
  const found: PerCpuWriter[] = [];
  for (const module of kernel.symbols.modules.slice(0, MOST_MODULES)) {
    for (const range of addressUsers(context.reader, module.name, table, table + 8n)) {
      const store = range.module === null ? null : perCpuStore(facts, range);
      if (store !== null) found.push(store);
      if (found.length > 1) return null;
    }
  }
  return found[0] ?? null;
}

/** The kernel's own per-CPU counters are everywhere: only a module's are worth a name, or what names the reference itself. */
function best(found: readonly PerCpuWriter[]): PerCpuWriter | null {
  return found.find((one) => one.how === "exact") ?? found.find((one) => one.function.module !== null) ?? null;
}

function told({ evidence }: CrashFacts, writer: PerCpuWriter, where: string): PerCpuWriter {
  const { name, module } = writer.function;
  const what =
    writer.how === "exact"
      ? "writes the reference canary itself"
      : "writes per-CPU memory at an address that it computes";
  const text = `${module === null ? name : `${name} [${module}]`}${where} ${what}, at ${hex(writer.at)}.`;
  evidence.add("per-cpu-store", writer.at, text);
  return writer;
}

/** Functions that write so, among some and what they call; those nearest first. */
function writersFrom(facts: CrashFacts, starts: readonly FunctionRange[]): PerCpuWriter[] {
  const { kernel, context } = facts;
  const seen = new Set<bigint>();
  const found: PerCpuWriter[] = [];
  let level = starts;
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: FunctionRange[] = [];
    for (const range of level) {
      if (seen.has(range.start) || seen.size >= MAX_FUNCTIONS || isSwitch(range)) continue;
      seen.add(range.start);
      const store = perCpuStore(facts, range);
      if (store !== null) found.push(store);
      for (const instruction of context.reader.functionAt(range.start)?.instructions ?? []) {
        const target = instruction.flow === "call" ? instruction.target : null;
        const callee = target === null ? null : kernel.symbols.functionAt(target);
        if (callee !== null) next.push(callee);
      }
    }
    level = next;
  }
  return found;
}

/** The one place that writes the reference by right, at every switch of tasks (arch/x86/entry/entry_64.S). */
export function isSwitch(range: Pick<FunctionRange, "name">): boolean {
  return range.name === "__switch_to_asm";
}

/** The first instruction of a function that writes per-CPU memory, other than a variable that it names. */
function perCpuStore(facts: CrashFacts, range: FunctionRange): PerCpuWriter | null {
  const { kernel, context } = facts;
  const guard = kernel.symbols.byName("__stack_chk_guard", null)?.address ?? null;
  for (const instruction of context.reader.functionAt(range.start)?.instructions ?? []) {
    const [first] = instruction.operands;
    if (first?.kind !== "memory" || first.segment !== "gs" || !writes(instruction)) continue;
    const computed = first.base !== null || first.index !== null;
    if (computed || isReferenceCanary(first, guard))
      return { function: range, at: instruction.address, how: computed ? "computed" : "exact" };
  }
  // per_cpu_ptr(): a CPU's offset is taken from the table, and what is stored to begins there.
  const table = kernel.symbols.byName("__per_cpu_offset", null)?.address ?? null;
  if (table === null || range.module === null) return null;
  const use = followPointer(context.reader, range.start, {
    holder: null,
    isHolder: (operand) => operand.scale === 8 && BigInt.asUintN(64, operand.displacement) === table,
  });
  if (use?.kind !== "stores") return null;
  return { function: use.path.at(-1)!, at: use.at, how: "computed" };
}

function writes(instruction: Instruction): boolean {
  return writesFirstOperand(instruction) && !/^(cmp|test|push|nop)/.test(instruction.mnemonic);
}
