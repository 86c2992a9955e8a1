/** Where control comes from outside: the functions at which paths through the kernel begin. */
import type { Program } from "../program/program.ts";
import { formatTypeName } from "../types/format-c.ts";
import type { EntryKind, EntryStack } from "./budget-document.ts";
import { callbackOf, KTHREAD } from "./callbacks.ts";
import {
  chainBytes,
  INTERRUPT_ALIGN_BYTES,
  IRQ_STACK_TOP_BYTES,
  NMI_FRAMES_BYTES,
  PT_REGS_BYTES,
  RANDOM_OFFSET_BYTES,
} from "./entry-cost.ts";
import { freshStarts } from "./fresh-starts.ts";
import type { FunctionNames } from "./function-names.ts";
import type { GraphIndex } from "./graph-index.ts";

/** What finding entries asks of a program. */
export type EntryProgram = Pick<Program, "memory" | "symbols" | "types" | "moduleTypes">;

export interface Entry {
  readonly f: number;
  readonly kind: EntryKind;
  readonly stack: EntryStack;
  readonly why: string;
  readonly baseBytes: number;
  readonly randomOffsetBytes: number;
}

/** Exceptions that have a stack of their own (arch/x86/include/asm/idtentry.h: DECLARE_IDTENTRY_IST, _DF, _MCE, _NMI, _VC). */
const IST = new Set(["debug", "nmi", "double_fault", "machine_check", "vmm_communication"]);

/**
 * Finds entries of every kind that the program and the graph's sets tell of; each function once for each kind and stack. Where
 * one may be called on several stacks, the one that is more usual comes first.
 */
export function findEntries(index: GraphIndex, names: FunctionNames, program: EntryProgram): Entry[] {
  const entries = new Map<string, Entry>();
  const add = (entry: Entry): void => {
    const key = `${entry.kind} ${entry.stack} ${entry.f}`;
    if (!entries.has(key)) entries.set(key, entry);
  };
  for (const entry of systemCalls(index, names, program)) add(entry);
  for (const entry of vectors(index, names)) add(entry);
  for (const entry of onFreshStacks(index, names, program)) add(entry);
  for (const entry of kernelThreads(index, names, program)) add(entry);
  for (const entry of callbacks(index, names, program)) add(entry);
  return [...entries.values()];
}

function* callbacks(index: GraphIndex, names: FunctionNames, program: EntryProgram): Generator<Entry> {
  const { sets } = index.graph;
  const realTime = isRealTime(program);
  for (let set = 0; set < sets.count; set++) {
    const label = sets.label[set] as string;
    const found = callbackOf(label);
    if (found === null) continue;
    const { kind, at, atRealTime } = found.callback;
    const randomOffsetBytes = kind === "file-operation" ? randomOffset(program) : 0;
    const members = [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
    const fitting = membersFor(members, found, index, names, program);
    for (const { stack, chain } of realTime && atRealTime !== undefined ? atRealTime : [at]) {
      const top = stack === "irq" ? IRQ_STACK_TOP_BYTES : PT_REGS_BYTES;
      const baseBytes = top + withRandomOffset(chainBytes(index, names, chain, null), randomOffsetBytes);
      for (const f of fitting) yield { f, kind, stack, why: label, baseBytes, randomOffsetBytes };
    }
  }
}

/**
 * The functions of a set that are callbacks of that kind. Found by prototype: those whose own record says so, since a function of
 * unknown prototype is in the set of every one. Found by slot: all, but where some have the prototype of that kind, not those
 * of another (pointers of no known type put functions into every member of their shape), unless others share the name and its record.
 */
function membersFor(
  members: readonly number[],
  { callback: { prototype }, bySlot }: NonNullable<ReturnType<typeof callbackOf>>,
  index: GraphIndex,
  names: FunctionNames,
  program: EntryProgram,
): readonly number[] {
  if (prototype === undefined) return members;
  const fits = (f: number): boolean => prototype.test(prototypeOf(index, program, f));
  const fitting = members.filter(fits);
  if (!bySlot || fitting.length === 0) return bySlot ? members : fitting;
  const { name } = index.graph.functions;
  return members.filter(
    (f) => fits(f) || prototypeOf(index, program, f) === "" || names.all(name[f] as string).length > 1,
  );
}

/** PREEMPT_RT, whose spinlock_t is a lock that sleeps (kernel/locking/spinlock_rt.c). */
function isRealTime({ symbols }: EntryProgram): boolean {
  return symbols.byName("rt_spin_lock") !== null;
}

/** As C, as the labels of sets have it; "" where there is none. */
function prototypeOf({ graph }: GraphIndex, program: EntryProgram, f: number): string {
  const type = typesOf(program, graph.functions.module[f] as string | null).func(graph.functions.name[f] as string);
  return type === null ? "" : formatTypeName(type);
}

function typesOf(program: EntryProgram, module: string | null): EntryProgram["types"] {
  return module === null ? program.types : program.moduleTypes(module);
}

/** What RANDOMIZE_KSTACK_OFFSET may take off a task's stack at each system call; 0 where the kernel has no such thing. */
function randomOffset(program: EntryProgram): number {
  return program.symbols.byName("randomize_kstack_offset") === null ? 0 : RANDOM_OFFSET_BYTES;
}

/** The bytes of the entry code's frames with the offset, which they have in them already where its code told how large it can be. */
function withRandomOffset(chain: number, randomOffsetBytes: number): number {
  return chain >= randomOffsetBytes ? chain : chain + randomOffsetBytes;
}

function systemCalls(index: GraphIndex, names: FunctionNames, program: EntryProgram): Entry[] {
  const randomOffsetBytes = randomOffset(program);
  const numbered = tableOf(index, program, "sys_call_table");
  const compat = tableOf(index, program, "ia32_sys_call_table");
  const { name } = index.graph.functions;
  // Without a table in the image, the stubs' names tell (arch/x86/include/asm/syscall_wrapper.h).
  if (numbered.length === 0) {
    name.forEach((own, f) => {
      if (/^__x64_(sys|compat_sys)_/.test(own)) numbered.push({ f, why: "its name" });
    });
  }
  // A 32-bit stub differs from its 64-bit twin in how it takes its arguments, and is left out beside it.
  const twins = new Set(numbered.map(({ f }) => (name[f] as string).replace(/^__x64_/, "")));
  const all = [
    ...numbered.map((one) => ({ ...one, chain: ["do_syscall_64", "x64_sys_call"] })),
    ...compat
      .filter(({ f }) => !twins.has((name[f] as string).replace(/^__ia32_/, "")))
      .map((one) => ({ ...one, chain: [["do_int80_syscall_32", "do_int80_emulation"], "ia32_sys_call"] })),
  ];
  return all
    .filter(({ f }) => !/_sys_ni_syscall$/.test(name[f] as string))
    .map(({ f, why, chain }) => ({
      f,
      kind: "system-call",
      stack: "task",
      why,
      baseBytes: PT_REGS_BYTES + withRandomOffset(chainBytes(index, names, chain, f), randomOffsetBytes),
      randomOffsetBytes,
    }));
}

/** No architecture has that many system calls. */
const MOST_SYSTEM_CALLS = 1024;

function tableOf(index: GraphIndex, program: EntryProgram, table: string): { f: number; why: string }[] {
  const symbol = program.symbols.byName(table);
  if (symbol === null) return [];
  const byStart = new Map<number, number>();
  index.graph.functions.start.forEach((start, f) => {
    byStart.set(start, f);
  });
  const found: { f: number; why: string }[] = [];
  for (let number = 0; number < MOST_SYSTEM_CALLS; number++) {
    const address = symbol.address + 8n * BigInt(number);
    // Past its end another symbol begins.
    if (number > 0 && program.symbols.byAddress(address)?.symbol.address !== symbol.address) break;
    const target = program.memory.u64(address);
    if (target === null) break;
    const f = byStart.get(Number(BigInt.asIntN(32, target)));
    if (f !== undefined) found.push({ f, why: `${table}[${number}]` });
  }
  return found;
}

/** See fresh-starts.ts. */
function onFreshStacks(index: GraphIndex, names: FunctionNames, program: EntryProgram): Entry[] {
  return freshStarts(index, names).map(({ f, kind, why, afterSystemCall, chainBytes: chain }) => {
    const randomOffsetBytes = afterSystemCall ? randomOffset(program) : 0;
    const baseBytes = PT_REGS_BYTES + withRandomOffset(chain, randomOffsetBytes);
    return { f, kind, stack: "task", why, baseBytes, randomOffsetBytes };
  });
}

/** What a thread's main function asks now and then (include/linux/kthread.h, freezer.h). */
const ASKED_BY_THREADS = [
  "kthread_should_stop",
  "kthread_should_park",
  "kthread_parkme",
  "kthread_freezable_should_stop",
  "kthread_complete_and_exit",
  "set_freezable",
];

/**
 * Main functions of kernel threads: nothing tells where `kthread_create` was given them, since that keeps them in objects on
 * the heap. They are of type `int (void *)`, nobody calls them by name, and they never return or ask whether they should.
 */
function kernelThreads(index: GraphIndex, names: FunctionNames, program: EntryProgram): Entry[] {
  const { functions, sites } = index.graph;
  const asks = new Uint8Array(functions.count);
  const { firstCaller, sitesTo } = index;
  for (const asked of ASKED_BY_THREADS.flatMap((name) => names.all(name))) {
    for (let at = firstCaller[asked]!; at < firstCaller[asked + 1]!; at++) asks[sites.caller[sitesTo[at]!]!] = 1;
  }
  const baseBytes = PT_REGS_BYTES + chainBytes(index, names, KTHREAD, null);
  const entries: Entry[] = [];
  for (let f = 0; f < functions.count; f++) {
    // It is of that kind itself, and calls them all.
    if (functions.name[f] === "kthread") continue;
    const called = firstCaller[f + 1]! > firstCaller[f]!;
    if (called || (asks[f] === 0 && functions.returns[f] === 1) || !isThreadFunction(index, program, f)) continue;
    const why = asks[f] === 1 ? "int (void *) that asks whether it should stop" : "int (void *) that never returns";
    entries.push({ f, kind: "kthread", stack: "task", why, baseBytes, randomOffsetBytes: 0 });
  }
  return entries;
}

function isThreadFunction({ graph }: GraphIndex, program: EntryProgram, f: number): boolean {
  const type = typesOf(program, graph.functions.module[f] as string | null).func(graph.functions.name[f] as string);
  if (type === null || type.parameters.length !== 1) return false;
  const parameter = type.parameters[0]?.type;
  const toVoid = parameter?.kind === "pointer" && parameter.target.kind === "void";
  return toVoid && type.returns.kind === "int" && type.returns.name === "int";
}

/** The C functions behind the entry code's vectors: `asm_exc_page_fault` calls `exc_page_fault` with pt_regs just above it. */
function vectors(index: GraphIndex, names: FunctionNames): Entry[] {
  const { name } = index.graph.functions;
  const entries: Entry[] = [];
  name.forEach((own, f) => {
    const exception = /^exc_(\w+)$/.exec(own)?.[1];
    if (exception !== undefined && names.all(`asm_${own}`).length > 0) {
      const stack = IST.has(exception) ? "ist" : "current";
      const above = exception === "nmi" ? NMI_FRAMES_BYTES : stack === "ist" ? 0 : INTERRUPT_ALIGN_BYTES;
      const baseBytes = PT_REGS_BYTES + above;
      entries.push({ f, kind: "exception", stack, why: `asm_${own}`, baseBytes, randomOffsetBytes: 0 });
    }
    if (/^(sysvec_\w+|common_interrupt|spurious_interrupt)$/.test(own) && names.all(`asm_${own}`).length > 0) {
      const stack = staysOnStack(own, names) ? "current" : "irq";
      const baseBytes = stack === "irq" ? IRQ_STACK_TOP_BYTES : PT_REGS_BYTES + INTERRUPT_ALIGN_BYTES;
      entries.push({ f, kind: "interrupt", stack, why: `asm_${own}`, baseBytes, randomOffsetBytes: 0 });
    }
  });
  return entries;
}

/**
 * DEFINE_IDTENTRY_SYSVEC and _IRQ go on with `__sysvec_…` or `__common_interrupt` on the IRQ stack; of a
 * DEFINE_IDTENTRY_SYSVEC_SIMPLE that function is inlined, and it stays where it is.
 */
function staysOnStack(name: string, names: FunctionNames): boolean {
  return name.startsWith("sysvec_") && names.all(`__${name}`).length === 0;
}
