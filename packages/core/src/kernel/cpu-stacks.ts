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

/** Order in `struct cea_exception_stacks` since 5.8 (arch/x86/include/asm/cpu_entry_area.h); DB1 and DB2 existed before. */
const IST_NAMES = ["DF", "NMI", "DB", "MCE", "VC", "VC2"] as const;

/**
 * The exception stacks in the CPU entry area, where the per-CPU pointer `cea_exception_stacks` leads since 5.2
 * (7623f37e4111). Types name them; without types they are told by the page tables: mapped runs with guard pages between, in
 * a fixed order. VC stacks exist in the layout but are mapped only in encrypted guests. Before 5.2 their tops stand in the
 * per-CPU `orig_ist`.
 */
function exceptionStacks(context: KernelContext, perCpu: PerCpu, cpu: number): StackRange[] {
  const base = perCpu.u64("cea_exception_stacks", cpu);
  if (base === null || !isKernelAddress(base)) return origIst(context, perCpu, cpu);
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
    found.push(...mappedRuns(context, base));
  }
  return found.map((stack) => stackRange(context, { kind: "exception", cpu, ...stack }));
}

function stackName(member: CMember): string | null {
  return member.name.endsWith("_stack") ? member.name.slice(0, -"_stack".length) : null;
}

function mappedRuns(context: KernelContext, base: bigint): { name: string; low: bigint; high: bigint }[] {
  const runs: { name: string; low: bigint; high: bigint }[] = [];
  let start: bigint | null = null;
  // Six stacks of at most four pages (KASAN) with a guard before each: 32 pages see them all.
  for (let page = 0n; page <= 32n && runs.length < IST_NAMES.length; page++) {
    const address = base + page * PAGE;
    const mapped = isMapped(context, address);
    if (mapped && start === null) start = address;
    if (!mapped && start !== null) {
      runs.push({ name: IST_NAMES[runs.length] ?? "", low: start, high: address });
      start = null;
    }
  }
  return runs;
}

/** `struct orig_ist { unsigned long ist[7]; }`, up to 5.1: tops in the order of the IST numbers of 4.14 and 4.15 to 5.1. */
function origIst(context: KernelContext, perCpu: PerCpu, cpu: number): StackRange[] {
  const base = perCpu.address("orig_ist", cpu);
  if (base === null) return [];
  const stacks: StackRange[] = [];
  // DEBUG_STKSZ is twice EXCEPTION_STKSZ.
  for (const [i, name, size] of [
    [0n, "DF", 4096n],
    [1n, "NMI", 4096n],
    [2n, "DB", 8192n],
    [3n, "MCE", 4096n],
  ] as const) {
    const high = context.memory.u64(base + 8n * i);
    if (high === null || !isKernelAddress(high)) continue;
    stacks.push(stackRange(context, { kind: "exception", name, cpu, low: high - size, high }));
  }
  return stacks;
}

/**
 * The entry trampoline stack, at a fixed place in the CPU's entry area. Where the area lies (randomised since 6.2) follows
 * from the exception stacks inside it. Known with types only.
 */
function entryStack(context: KernelContext, perCpu: PerCpu, cpu: number): StackRange | null {
  const inArea = perCpu.u64("cea_exception_stacks", cpu);
  const estacks = context.types.member("cpu_entry_area", "estacks");
  const page = context.types.member("cpu_entry_area", "entry_stack_page");
  if (inArea === null || estacks === null || page === null || !isKernelAddress(inArea)) return null;
  const low = inArea - BigInt(estacks.offset) + BigInt(page.offset);
  const size = context.types.sizeOf("entry_stack") ?? page.size;
  return stackRange(context, { kind: "entry", cpu, low, high: low + BigInt(size) });
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
