import { sizeOfType } from "../types/strip.ts";
import type { CMember } from "../types/type-provider.ts";
import { isKernelAddress, type KernelContext } from "./context.ts";
import type { StackKind, StackRange } from "./kernel.ts";
import type { PerCpu } from "./percpu.ts";

const PAGE = 0x1000n;

/**
 * The stacks that belong to a CPU: hardirq, exception (IST) and entry.
 *
 * x86_64 has no softirq stack of its own: softirqs run on the hardirq stack (do_softirq_own_stack), so "hardirq" covers
 * both.
 */
export function cpuStacks(context: KernelContext, perCpu: PerCpu, cpu: number, threadSize: number): StackRange[] {
  const hardirq = hardirqStack(context, perCpu, cpu, threadSize);
  const stacks = hardirq === null ? [] : [hardirq];
  stacks.push(...exceptionStacks(context, perCpu, cpu));
  const entry = entryStack(context, perCpu, cpu);
  if (entry !== null) stacks.push(entry);
  return stacks;
}

/**
 * The hardirq stack's top: per-CPU `irq_stack_ptr` before 5.2, `hardirq_stack_ptr` to 6.1 (758a2e312228), in `pcpu_hot`
 * from 6.2 (d7b6d709a76a), per-CPU again since 6.15 (c6a0918072ea). The value may stand 8 or 64 bytes below the true end;
 * IRQ_STACK_SIZE equals THREAD_SIZE.
 */
function hardirqStack(context: KernelContext, perCpu: PerCpu, cpu: number, size: number): StackRange | null {
  const pointer =
    perCpu.u64("hardirq_stack_ptr", cpu) ??
    perCpu.memberU64("pcpu_hot", "pcpu_hot", "hardirq_stack_ptr", cpu, 32) ??
    perCpu.u64("irq_stack_ptr", cpu);
  if (pointer === null || !isKernelAddress(pointer)) return null;
  const high = (pointer + PAGE - 1n) & ~(PAGE - 1n);
  return stackRange(context, { kind: "hardirq", cpu, low: high - BigInt(size), high });
}

/**
 * The exception stacks in the CPU entry area, where the per-CPU pointer `cea_exception_stacks` leads since 5.2
 * (7623f37e4111): named by types, or told by the page tables. VC stacks exist in the layout but are mapped only in
 * encrypted guests. Before 5.2 their tops stand in the TSS.
 */
function exceptionStacks(context: KernelContext, perCpu: PerCpu, cpu: number): StackRange[] {
  const base = perCpu.u64("cea_exception_stacks", cpu);
  if (base === null || !isKernelAddress(base)) return stacksOfTss(context, perCpu, cpu);
  const layout = context.types.structOrUnion("cea_exception_stacks");
  const found: { name: string; low: bigint; high: bigint }[] = [];
  if (layout !== null) {
    for (const member of layout.members) {
      const name = stackName(member);
      const size = sizeOfType(member.type);
      if (name === null || size === 0) continue;
      const low = base + BigInt(member.bitOffset / 8);
      if (isMapped(context, low + BigInt(size) - 8n)) found.push({ name, low, high: low + BigInt(size) });
    }
  } else {
    found.push(...mappedSlots(context, base));
  }
  return found.map((stack) => stackRange(context, { kind: "exception", cpu, ...stack }));
}

function stackName(member: CMember): string | null {
  return member.name.endsWith("_stack") ? member.name.slice(0, -"_stack".length) : null;
}

/**
 * `struct cea_exception_stacks` is six slots of one guard page and one stack each, all stacks of one size (one to four
 * pages): DF, NMI, DB, MCE, VC, VC2 since 5.8; DF, NMI, DB2 (never mapped), DB1, DB, MCE before.
 */
function mappedSlots(context: KernelContext, base: bigint): { name: string; low: bigint; high: bigint }[] {
  let size = 0n;
  while (size <= 4n * PAGE && isMapped(context, base + PAGE + size)) size += PAGE;
  if (size === 0n || size > 4n * PAGE || isMapped(context, base)) return [];
  const slots: { low: bigint; mapped: boolean }[] = [];
  for (let i = 0n; i < 6n; i++) {
    const low = base + PAGE + i * (PAGE + size);
    slots.push({ low, mapped: isMapped(context, low) && isMapped(context, low + size - 1n) });
  }
  const before58 = !slots[2]!.mapped && slots[3]!.mapped;
  const names = before58 ? ["DF", "NMI", "DB2", "DB1", "DB", "MCE"] : ["DF", "NMI", "DB", "MCE", "VC", "VC2"];
  return slots.flatMap(({ low, mapped }, i) => (mapped ? [{ name: names[i]!, low, high: low + size }] : []));
}

/** The hardware's TSS: u32, then sp0 to sp2, u64, then ist[7] (arch/x86/include/asm/processor.h, x86_hw_tss). */
const TSS_SP0 = 4n;
const TSS_IST = 36n;

/** Per-CPU task state segment: `cpu_tss_rw` since 4.15 (c482feefe1ae), `cpu_tss` before. */
function tssOf(perCpu: PerCpu, cpu: number): bigint | null {
  return perCpu.address("cpu_tss_rw", cpu) ?? perCpu.address("cpu_tss", cpu);
}

/** Before 5.2: stacks side by side without guards, the debug stack twice as long as the others. */
function stacksOfTss(context: KernelContext, perCpu: PerCpu, cpu: number): StackRange[] {
  const tss = tssOf(perCpu, cpu);
  if (tss === null) return [];
  const stacks: StackRange[] = [];
  for (const [i, name, size] of [
    [0n, "DF", 4096n],
    [1n, "NMI", 4096n],
    [2n, "DB", 8192n],
    [3n, "MCE", 4096n],
  ] as const) {
    const high = context.memory.u64(tss + TSS_IST + 8n * i);
    if (high === null || !isKernelAddress(high)) continue;
    stacks.push(stackRange(context, { kind: "exception", name, cpu, low: high - size, high }));
  }
  return stacks;
}

/** The entry trampoline stack: one page of the CPU's entry area, whose top is the TSS's sp0 since 4.15 (7f2590a110b8). */
function entryStack(context: KernelContext, perCpu: PerCpu, cpu: number): StackRange | null {
  const tss = tssOf(perCpu, cpu);
  const high = tss === null ? null : context.memory.u64(tss + TSS_SP0);
  if (high === null || !isKernelAddress(high)) return null;
  // Up to 4.14 sp0 is the top of the current task's own stack, which lies elsewhere than the entry area.
  if (high < 0xfffffe0000000000n || high >= 0xfffffe8000000000n) return null;
  return stackRange(context, { kind: "entry", cpu, low: (high - 1n) & ~(PAGE - 1n), high });
}

function isMapped(context: KernelContext, address: bigint): boolean {
  return context.memory.explain(address)?.reason !== "unmapped";
}

/** A stack range whose guard page is looked up in the page tables when somebody asks. */
export function stackRange(
  context: KernelContext,
  stack: {
    readonly kind: StackKind;
    readonly name?: string;
    readonly cpu?: number | null;
    readonly task?: bigint | null;
    readonly low: bigint;
    readonly high: bigint;
  },
): StackRange {
  let guard: boolean | null | undefined;
  return {
    kind: stack.kind,
    name: stack.name ?? "",
    cpu: stack.cpu ?? null,
    task: stack.task ?? null,
    low: stack.low,
    high: stack.high,
    get guardBelow(): boolean | null {
      if (guard === undefined) {
        const fault = context.memory.explain(stack.low - 1n);
        // A page frame that the dump lacks is mapped all the same; a page table that it lacks says nothing.
        if (fault === null) guard = false;
        else if (fault.reason === "unmapped") guard = true;
        else guard = context.memory.translate(stack.low - 1n) === null ? null : false;
      }
      return guard;
    },
  };
}
