/**
 * What a kernel's log says, as `parseConsole` finds it: crashes with their registers and call traces, before any opinion on
 * what they mean. Everything is as the kernel printed it; what it did not print is null.
 */

/** What the first line of a report is about. */
export type HeadlineKind =
  /** "BUG: stack guard page was hit": the kernel compared the faulting address with its stacks. */
  | "guard-page"
  /** "Insufficient stack space", "kernel stack overflow": the architecture's own check of the stack pointer. */
  | "stack-overflow"
  | "double-fault"
  /** "stack-protector: Kernel stack is corrupted in". */
  | "stack-protector"
  /** "corrupted stack end detected inside scheduler". */
  | "stack-end"
  /** "Thread overran stack, or stack corrupted": the same word, looked at when a fault is reported. */
  | "stack-end-at-fault"
  /** "do_IRQ: … near stack overflow" and its like: a warning while there is still room. */
  | "stack-low"
  | "kasan"
  | "unwinder"
  | "page-fault"
  | "general-protection"
  /** Any other exception with a register dump ("divide error", "stack segment", "invalid opcode"). */
  | "exception"
  /** "kernel BUG at", list and UBSAN checks that end in one. */
  | "bug"
  | "warning"
  | "lockup"
  | "panic"
  | "other";

/** One of the lines by which the kernel says what happened. */
export interface Headline {
  readonly kind: HeadlineKind;
  /** As printed, without timestamp and the like. */
  readonly text: string;
  /** Index of its line in the text, from 0. */
  readonly line: number;
  /** Function named in it, where it names one ("Kernel stack is corrupted in: fn+0x12/0x34", "KASAN: … in fn"). */
  readonly at: CodePlace | null;
  /** Address named in it: what could not be accessed, which guard page was hit. Null where printed hashed. */
  readonly address: bigint | null;
  /** "TASK", "IRQ", "NMI", "#DF" … of a guard page; the bug type of KASAN ("stack-out-of-bounds"). */
  readonly detail: string | null;
}

/** A place in the code as logs print it: `fn+0x12/0x34 [mod]`, an address, or both. */
export interface CodePlace {
  readonly function: string | null;
  readonly module: string | null;
  /** Bytes from the start of the function; null where not printed. */
  readonly offset: number | null;
  /** Size of the function in bytes; null where not printed. */
  readonly size: number | null;
  /** Null where not printed, which is usual since 4.11. */
  readonly address: bigint | null;
  /** Source, where the log went through a symbolizer. */
  readonly file: string | null;
  readonly codeLine: number | null;
}

/** Which stack an entry of a trace lies on: "TASK", "IRQ", "NMI", "#DF" … as its `<…>` marker says; null before any. */
export type StackMarker = string;

export interface TraceEntry extends CodePlace {
  /** Marked `?` (x86) or `(unreliable)` (powerpc): a return address that lay on the stack, perhaps of a call long over. */
  readonly stale: boolean;
  readonly marker: StackMarker | null;
  /** Stack address printed beside it (powerpc, `bt`-like); null else. */
  readonly sp: bigint | null;
  /** An exception or interrupt hit this function: it was printed as registers within the trace. */
  readonly interrupted: boolean;
  /** A function that the compiler inlined, from a symbolizer. */
  readonly inlined: boolean;
  /** The call that left the return address is shown, and goes to the next inner function. */
  readonly proven?: boolean;
  readonly line: number;
}

export interface CallTrace {
  readonly line: number;
  readonly entries: readonly TraceEntry[];
  /** It reached user mode: the user's registers follow, as the kernel's stack ends there. */
  readonly reachesUser: boolean;
  /** Entries that the log says it left out ("... 42 entries skipped"). */
  readonly elided: number;
  /** Set where it is no trace of the kernel's own. */
  readonly by?: "crash";
}

/** A dump of registers at an exception. */
export interface RegisterDump {
  readonly line: number;
  /** Where the CPU stood. */
  readonly pc: CodePlace | null;
  /** True where the code segment or the mode says user space. */
  readonly userMode: boolean;
  readonly sp: bigint | null;
  /** Faulting address: CR2, FAR, DAR, stval. */
  readonly faultAddress: bigint | null;
  /** Lower-case names as the architecture has them: rax … r15, x0 … x30, lr. */
  readonly registers: ReadonlyMap<string, bigint>;
  /** Error code of the exception, where printed. */
  readonly errorCode: number | null;
}

/** The bytes around the faulting instruction. */
export interface CodeBytes {
  readonly bytes: Uint8Array;
  /** Index in `bytes` of the instruction at the program counter; null where not marked. */
  readonly at: number | null;
}

/** A stack's range as printed. `high` is one past the highest byte. */
export interface PrintedStack {
  /** "task", "irq", "overflow", or the name of an exception stack. */
  readonly name: string;
  readonly low: bigint;
  readonly high: bigint | null;
}

/** KASAN's account of one access. */
export interface KasanReport {
  /** "stack-out-of-bounds", "use-after-scope", "slab-out-of-bounds" … */
  readonly bug: string;
  readonly access: "read" | "write" | null;
  readonly bytes: number | null;
  readonly address: bigint | null;
  /** The task's objects in the frame, as KASAN lists them; bytes from the frame's start. */
  readonly objects: readonly { readonly from: number; readonly to: number; readonly name: string }[];
  /** The function in whose frame they lie, and the accessed address's offset in the frame. */
  readonly frame: CodePlace | null;
  readonly offsetInFrame: number | null;
}

/** One report of the kernel's, from its first line to the next one's. */
export interface ConsoleCrash {
  readonly headline: Headline;
  /** Further statements of the same report: "Oops: …", the panic that followed. */
  readonly further: readonly Headline[];
  /** "Kernel panic - not syncing: " message that ended it; null where the machine went on. */
  readonly panic: string | null;
  /** First line and one past the last, in the text as it was put in order. */
  readonly from: number;
  readonly to: number;
  /** Seconds since boot. */
  readonly time: number | null;
  readonly cpu: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  readonly release: string | null;
  /** The whole line that says CPU, task and kernel. */
  readonly processLine: string | null;
  /** "writeback wb_workfn" of a `Workqueue:` line. */
  readonly workqueue: string | null;
  readonly registers: RegisterDump | null;
  readonly code: CodeBytes | null;
  /** The trace of the crash first; others (of the panic, of another CPU) behind it. */
  readonly traces: readonly CallTrace[];
  /** Words of a `Stack:` dump, lowest first, and where they lie. */
  readonly stackWords: readonly bigint[];
  readonly stackAt: bigint | null;
  readonly stacks: readonly PrintedStack[];
  readonly kasan: KasanReport | null;
  /** "Modules linked in", without their letters. */
  readonly modules: readonly string[];
  /** Those of them with letters that taint the kernel ("OE", "PO"). */
  readonly taintedModules: readonly { readonly name: string; readonly taints: string }[];
  /** The kernel's taint letters ("G      W  OE"); "" where it says "Not tainted", null where it says nothing. */
  readonly taints: string | null;
  /** Told by the form of any registers in it, the user's too; null where there are none. */
  readonly arch: string | null;
  /** Lines of several CPUs are mixed in it and nothing tells them apart. */
  readonly interleaved: boolean;
  /** The log ends, or the machine boots anew, within it. */
  readonly cut: boolean;
}

export interface ConsoleLog {
  /** In the order of the log: the first is usually the cause of the others. */
  readonly crashes: readonly ConsoleCrash[];
  readonly release: string | null;
  /** "Linux version …" of the boot that crashed; null where the log does not go back to it. */
  readonly banner: string | null;
  /** As `uname -m` says it, told by the form of the registers; null where nothing shows it. */
  readonly arch: string | null;
  readonly lines: number;
}
