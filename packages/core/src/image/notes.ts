/**
 * ELF notes of a dump: registers of the CPUs and VMCOREINFO. The same bytes stand in the PT_NOTE segment of an ELF core and
 * at `offset_note` of a kdump-compressed file.
 */

import { asciiField, viewOf } from "../bytes/read.ts";
import type { CpuNote, Registers } from "./dump-image.ts";

const NT_PRSTATUS = 1;
/** `struct elf_prstatus` of x86_64 (`include/linux/elfcore.h`): pr_pid at 32, the 27 registers at 112. */
const PRSTATUS_PID = 32;
const PRSTATUS_REGISTERS = 112;
const PRSTATUS_SIZE = 336;
/** `QEMUCPUState` of x86 (QEMU `target/i386/arch_dump.c`), without the kernel_gs_base that 2.9 added at its end. */
const QEMU_STATE_SIZE = 432;
const QEMU_SEGMENTS = 152;
const QEMU_CONTROL = 392;
const QEMU_KERNEL_GS = 432;

/** The most CPUs that x86_64 kernels are built for (CONFIG_NR_CPUS_RANGE_END, `arch/x86/Kconfig`). */
const MAX_CPUS = 8192;

export interface DumpNotes {
  readonly cpuNotes: readonly CpuNote[];
  /** Text of the VMCOREINFO note, or null. */
  readonly vmcoreinfo: string | null;
  /** Where that text stands in the notes, in bytes. */
  readonly vmcoreinfoRange: { readonly offset: number; readonly size: number } | null;
  /** Offset in the notes where a damaged or cut note stopped the reading, or null. */
  readonly damagedAt: number | null;
}

interface QemuState {
  readonly registers: Registers;
  readonly control: NonNullable<CpuNote["control"]>;
  readonly segmentBases: NonNullable<CpuNote["segmentBases"]>;
  readonly idtBase: bigint;
}

/** Parses raw note bytes; never fails, says where it had to stop. */
export function parseNotes(bytes: Uint8Array): DumpNotes {
  const view = viewOf(bytes);
  const statuses: { pid: number; registers: Registers }[] = [];
  const qemu: QemuState[] = [];
  let vmcoreinfo: string | null = null;
  let vmcoreinfoRange: DumpNotes["vmcoreinfoRange"] = null;
  let damagedAt: number | null = null;

  let at = 0;
  while (at + 12 <= bytes.length) {
    const nameSize = view.getUint32(at, true);
    const descSize = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    // The kernel leaves the rest of a CPU's note page zero, and ends its list so.
    if (nameSize === 0 && descSize === 0 && type === 0) {
      at += 12;
      continue;
    }
    const desc = at + 12 + align4(nameSize);
    const next = desc + align4(descSize);
    if (desc + descSize > bytes.length) {
      damagedAt = at;
      break;
    }
    const name = noteName(bytes, at + 12, nameSize);
    if (name === "CORE" && type === NT_PRSTATUS && descSize >= PRSTATUS_SIZE && statuses.length < MAX_CPUS) {
      statuses.push({ pid: view.getInt32(desc + PRSTATUS_PID, true), registers: prstatusRegisters(view, desc) });
    } else if (name === "QEMU" && descSize >= QEMU_STATE_SIZE && qemu.length < MAX_CPUS) {
      qemu.push(qemuState(view, desc, descSize));
    } else if (name === "VMCOREINFO" && vmcoreinfo === null) {
      vmcoreinfo = vmcoreinfoText(bytes.subarray(desc, desc + descSize));
      vmcoreinfoRange = { offset: desc, size: descSize };
    }
    at = next;
  }

  const cpuNotes: CpuNote[] = [];
  for (let index = 0; index < Math.max(statuses.length, qemu.length); index++) {
    // QEMU writes one PRSTATUS and one note of its own for each CPU, in the same order.
    const status = statuses[index];
    const state = qemu[index];
    cpuNotes.push({
      index,
      pid: status?.pid ?? 0,
      registers: (status?.registers ?? state?.registers)!,
      control: state?.control ?? null,
      segmentBases: state?.segmentBases ?? null,
      idtBase: state?.idtBase ?? null,
    });
  }
  return { cpuNotes, vmcoreinfo, vmcoreinfoRange, damagedAt };
}

/** VMCOREINFO bytes as text: ASCII lines, NUL padding taken off. Null where nothing is left. */
export function vmcoreinfoText(bytes: Uint8Array): string | null {
  const text = asciiField(bytes, 0, bytes.length);
  return text === "" ? null : text;
}

function align4(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function noteName(bytes: Uint8Array, offset: number, size: number): string {
  return asciiField(bytes, offset, Math.min(size, 16));
}

function prstatusRegisters(view: DataView, desc: number): Registers {
  // Order of `struct user_regs_struct` (`arch/x86/include/asm/user_64.h`).
  const register = (index: number) => view.getBigUint64(desc + PRSTATUS_REGISTERS + index * 8, true);
  return {
    r15: register(0),
    r14: register(1),
    r13: register(2),
    r12: register(3),
    rbp: register(4),
    rbx: register(5),
    r11: register(6),
    r10: register(7),
    r9: register(8),
    r8: register(9),
    rax: register(10),
    rcx: register(11),
    rdx: register(12),
    rsi: register(13),
    rdi: register(14),
    rip: register(16),
    cs: register(17),
    eflags: register(18),
    rsp: register(19),
    ss: register(20),
  };
}

function qemuState(view: DataView, desc: number, size: number): QemuState {
  const register = (index: number) => view.getBigUint64(desc + 8 + index * 8, true);
  // Segments: cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt; each {u32 selector, limit, flags, pad; u64 base}.
  const selector = (index: number) => BigInt(view.getUint32(desc + QEMU_SEGMENTS + index * 24, true));
  const base = (index: number) => view.getBigUint64(desc + QEMU_SEGMENTS + index * 24 + 16, true);
  const control = (index: number) => view.getBigUint64(desc + QEMU_CONTROL + index * 8, true);
  return {
    registers: {
      rax: register(0),
      rbx: register(1),
      rcx: register(2),
      rdx: register(3),
      rsi: register(4),
      rdi: register(5),
      rsp: register(6),
      rbp: register(7),
      r8: register(8),
      r9: register(9),
      r10: register(10),
      r11: register(11),
      r12: register(12),
      r13: register(13),
      r14: register(14),
      r15: register(15),
      rip: register(16),
      eflags: register(17),
      cs: selector(0),
      ss: selector(5),
    },
    control: { cr0: control(0), cr2: control(2), cr3: control(3), cr4: control(4) },
    segmentBases: {
      fs: base(3),
      gs: base(4),
      kernelGs: size >= QEMU_KERNEL_GS + 8 ? view.getBigUint64(desc + QEMU_KERNEL_GS, true) : 0n,
    },
    idtBase: base(9),
  };
}
