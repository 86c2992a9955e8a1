import type { CpuNote, Registers } from "../image/dump-image.ts";
import { type KernelContext, kernelSymbol } from "./context.ts";
import type { KernelCpu } from "./cpus.ts";
import type { StackRange } from "./kernel.ts";

/** Elf64_Nhdr and the name "CORE" padded to 8; then `struct elf_prstatus` with its registers at 112. */
const NOTE_REGISTERS = 12 + 8 + 112;
/** Places of rip and rsp in `struct user_regs_struct`, in registers. */
const RIP = 16;
const RSP = 19;

/**
 * Which CPU each of the dump's notes belongs to. Notes come in the order of the CPUs that were saved, which need not be
 * CPU numbers, so each is recognised by what it holds, the surest sign first:
 * its GS base, which is the CPU's per-CPU offset in kernel mode (QEMU's notes); the copy that crash_save_cpu left in the
 * CPU's `crash_notes`; RSP on one of that CPU's own stacks or on its current task's. What is left over is given out in
 * order when as many CPUs as notes remain.
 *
 * @param stackAt finds the stack that holds an address
 * @param pidOf pid of a task
 */
export function matchNotes(
  context: KernelContext,
  cpus: readonly KernelCpu[],
  stackAt: (address: bigint) => StackRange | null,
  pidOf: (task: bigint) => number | null,
): ReadonlyMap<number, Registers> {
  const matched = new Map<number, Registers>();
  const left = new Set<CpuNote>(context.image.cpuNotes);
  const free = new Set<KernelCpu>(cpus);
  const give = (note: CpuNote, cpu: KernelCpu): void => {
    matched.set(cpu.number, note.registers);
    left.delete(note);
    free.delete(cpu);
  };
  const pass = (belongs: (note: CpuNote, cpu: KernelCpu) => boolean): void => {
    for (const note of [...left]) {
      const candidates = [...free].filter((cpu) => belongs(note, cpu));
      if (candidates.length === 1) give(note, candidates[0]!);
    }
  };

  pass(
    ({ segmentBases: bases }, cpu) =>
      bases !== null && (bases.gs === cpu.perCpuOffset || bases.kernelGs === cpu.perCpuOffset),
  );
  if (left.size === 0 || free.size === 0) return matched;
  const saved = savedRegisters(context, [...free]);
  pass((note, cpu) => {
    const kept = saved.get(cpu.number);
    return kept !== undefined && kept.rip === note.registers.rip && kept.rsp === note.registers.rsp;
  });
  if (left.size === 0 || free.size === 0) return matched;
  pass((note, cpu) => {
    const stack = stackAt(note.registers.rsp);
    if (stack !== null) return stack.cpu === cpu.number || (stack.task !== null && stack.task === cpu.currentTask);
    return note.pid > 0 && cpu.currentTask !== null && pidOf(cpu.currentTask) === note.pid;
  });
  if (left.size > 0 && left.size === free.size) {
    const rest = [...free];
    [...left].forEach((note, i) => {
      give(note, rest[i]!);
    });
    context.problem("some of the dump's register notes could be given to CPUs by their order only");
  }
  return matched;
}

/** RIP and RSP that each CPU saved in its own `crash_notes` (a per-CPU allocation; kernel/kexec_core.c). */
function savedRegisters(context: KernelContext, cpus: readonly KernelCpu[]): Map<number, { rip: bigint; rsp: bigint }> {
  const result = new Map<number, { rip: bigint; rsp: bigint }>();
  const symbol = kernelSymbol(context, "crash_notes");
  const notes = symbol === null ? null : context.memory.u64(symbol);
  if (notes === null || notes === 0n) return result;
  for (const cpu of cpus) {
    const base = BigInt.asUintN(64, notes + cpu.perCpuOffset) + BigInt(NOTE_REGISTERS);
    const rip = context.memory.u64(base + BigInt(RIP * 8));
    const rsp = context.memory.u64(base + BigInt(RSP * 8));
    if (rip !== null && rsp !== null && rip !== 0n) result.set(cpu.number, { rip, rsp });
  }
  return result;
}
