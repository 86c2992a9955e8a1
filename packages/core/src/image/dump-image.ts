import type { PhysicalMemory } from "./physical-memory.ts";

/** General registers of x86_64, each an unsigned 64-bit value. */
export interface Registers {
  readonly rip: bigint;
  readonly rsp: bigint;
  readonly rbp: bigint;
  readonly rax: bigint;
  readonly rbx: bigint;
  readonly rcx: bigint;
  readonly rdx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly r8: bigint;
  readonly r9: bigint;
  readonly r10: bigint;
  readonly r11: bigint;
  readonly r12: bigint;
  readonly r13: bigint;
  readonly r14: bigint;
  readonly r15: bigint;
  readonly eflags: bigint;
  readonly cs: bigint;
  readonly ss: bigint;
}

/** What a dump's notes say of one CPU. Notes come in the order of CPUs that were saved, which need not be CPU numbers. */
export interface CpuNote {
  /** Index among the notes of its kind. */
  readonly index: number;
  /** PRSTATUS `pr_pid`; 0 or garbage for QEMU. */
  readonly pid: number;
  readonly registers: Registers;
  /** Only QEMU's own note (name "QEMU") has these. */
  readonly control: { readonly cr0: bigint; readonly cr2: bigint; readonly cr3: bigint; readonly cr4: bigint } | null;
  readonly segmentBases: { readonly fs: bigint; readonly gs: bigint; readonly kernelGs: bigint } | null;
  readonly idtBase: bigint | null;
}

/** Something wrong with the file that did not stop us, with the facts. */
export interface ImageProblem {
  readonly code: `SPW_${string}`;
  readonly message: string;
}

/** A dump file (or split set), opened: the same model for every format. */
export interface DumpImage {
  readonly format: "elf" | "kdump";
  /** Wrapped in makedumpfile's flattened format. */
  readonly flattened: boolean;
  readonly memory: PhysicalMemory;
  /** The VMCOREINFO text (`KEY=value` lines), or null. */
  readonly vmcoreinfo: string | null;
  readonly cpuNotes: readonly CpuNote[];
  /** The ELF notes as they stand in the dump, for writing them into another; null where there are none. */
  readonly rawNotes: Uint8Array | null;
  /** kdump-compressed header fields; null for ELF. `release` etc. are empty strings where the writer left them so. */
  readonly header: {
    readonly version: number;
    readonly release: string;
    readonly machine: string;
    readonly nodename: string;
    /** Seconds since 1970, 0 where unknown. */
    readonly timestamp: number;
    readonly dumpLevel: number | null;
  } | null;
  /**
   * Virtual ranges that the file itself maps (ELF program headers with p_vaddr; /proc/kcore, /proc/vmcore): a way into
   * the kernel where page tables cannot be found. Empty for most.
   */
  readonly virtualRanges: readonly { readonly virtual: bigint; readonly physical: bigint; readonly length: bigint }[];
  readonly problems: readonly ImageProblem[];
}
