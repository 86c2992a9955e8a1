import type { DebugInfo } from "../debuginfo/debug-info.ts";
import type { DumpImage, Registers } from "../image/dump-image.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { OrcTable } from "../unwind/orc.ts";
import type { ExtraStackPool } from "./extra-stacks.ts";

/** A CPU as the dump shows it. */
export interface Cpu {
  readonly number: number;
  readonly online: boolean;
  /** Value of `__per_cpu_offset[number]`. */
  readonly perCpuOffset: bigint;
  /** `struct task_struct *` that was current, or null where unreadable. */
  readonly currentTask: bigint | null;
  /** Registers the dump's notes hold for this CPU (matched by GS base, current task or stack), or null. */
  readonly registers: Registers | null;
}

/** Stack kinds of DESIGN.md's vocabulary. `entry`: the trampoline stack of the CPU entry area. */
export type StackKind = "task" | "hardirq" | "softirq" | "exception" | "entry" | "extra";

/** A stack's address range. `low` is its lowest byte, `high` one past its highest. Bytes. */
export interface StackRange {
  readonly kind: StackKind;
  /** "DF", "NMI", "DB", "MCE", "VC", "VC2" for exception stacks; empty else. */
  readonly name: string;
  /** For per-CPU stacks. */
  readonly cpu: number | null;
  /** `struct task_struct *` for task stacks. */
  readonly task: bigint | null;
  readonly low: bigint;
  readonly high: bigint;
  /** Unmapped page directly below `low`: a known fact (vmapped task stacks, IST guards), or null where not known. */
  readonly guardBelow: boolean | null;
}

export interface Task {
  readonly address: bigint;
  readonly pid: number;
  readonly tgid: number;
  readonly comm: string;
  /** Letter in the manner of `ps` of crash: RU, IN, UN, ST, TR, ZO, DE, ID, PA, WA, NE. */
  readonly state: string;
  readonly cpu: number | null;
  readonly parent: bigint | null;
  readonly mm: bigint | null;
  /** PF_KTHREAD. */
  readonly kernelThread: boolean;
  /** Lowest address of its kernel stack. */
  readonly stack: bigint | null;
  /** Saved stack pointer (`thread.sp`), meaningful while not on a CPU. */
  readonly savedSp: bigint | null;
  /** `stack_canary`. */
  readonly canary: bigint | null;
  /** On a CPU when the dump was taken. */
  readonly running: boolean;
}

export interface LogRecord {
  /** Nanoseconds since boot. */
  readonly timestamp: bigint;
  readonly level: number;
  readonly text: string;
  /** Task id or CPU id of the writer where recorded (`caller_id`: T123, C1), or null. */
  readonly caller: string | null;
}

/** An opened kernel: everything that the questions need, each part found when first asked for. */
export interface Kernel {
  readonly image: DumpImage;
  readonly memory: AddressSpace;
  readonly symbols: SymbolTable;
  /** BTF, or an empty provider where the kernel has none. */
  readonly types: TypeProvider;
  /** Null where the kernel has no ORC data. */
  readonly orc: OrcTable | null;
  /** What files of debug information add; null where the kernel was opened without any. */
  readonly debugInfo: DebugInfo | null;
  /** VMCOREINFO as a map; empty without one. */
  readonly vmcoreinfo: ReadonlyMap<string, string>;
  readonly release: string;
  /** The whole banner ("Linux version …"). */
  readonly banner: string;
  readonly machine: "x86_64";
  readonly nodename: string;
  readonly kaslrOffset: bigint;
  readonly pagingLevels: 4 | 5;
  /** THREAD_SIZE in bytes. */
  readonly threadSize: number;
  readonly uptimeSeconds: number | null;
  /** ISO 8601 in UTC, seconds; null where not known. */
  readonly crashTime: string | null;
  readonly loadAverage: readonly [number, number, number] | null;
  readonly memoryBytes: number | null;
  readonly cpus: readonly Cpu[];
  /** All tasks (idle ones first, then by the task list), cached after the first walk; hostile lists end. */
  tasks(): readonly Task[];
  /** Reads one task_struct; null where it cannot be one. */
  task(address: bigint): Task | null;
  /** Address of a per-CPU variable on a CPU, by symbol; null where unknown. */
  perCpu(symbol: string, cpu: number): bigint | null;
  /** All stacks known; task stacks included. */
  stacks(): readonly StackRange[];
  /** The stack whose range (or guard page below, with `guard`) holds the address. */
  stackAt(address: bigint): { readonly stack: StackRange; readonly guard: boolean } | null;
  /** The extra stacks of spillway.ko; null where it is not loaded. */
  extraStacks(): ExtraStackPool | null;
  /** The kernel log, oldest first; empty where unreadable (then `problems` says why). */
  log(): readonly LogRecord[];
  /** The CPU and task that panicked, and the message, as far as they can be told. */
  readonly panic: {
    readonly cpu: number | null;
    readonly task: bigint | null;
    readonly message: string | null;
    /** How CPU and task were told: "panic_cpu", "die_owner", "log", "registers", … */
    readonly source: string | null;
  };
  /** The reference canary in force on a CPU (per-CPU `gs:0x28` or `__stack_chk_guard`), with where it lies. */
  referenceCanary(cpu: number): { readonly address: bigint; readonly value: bigint } | null;
  /** Things that could not be read or understood, in words, gathered on the way. */
  readonly problems: readonly string[];
}
