/** What all parts of the map ask: the frames, what the diagnosis says of addresses, and code as text. */
import { type CanaryUse, canaryUse } from "../code/canary.ts";
import type { FunctionCode } from "../code/code-reader.ts";
import { disassemble } from "../code/disassemble.ts";
import type { DebugInfo } from "../debuginfo/debug-info.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { Kernel, StackRange, Task } from "../kernel/kernel.ts";
import type { Backtrace, Frame } from "../unwind/backtrace.ts";
import { type UnwindContext, unwindContext } from "../unwind/unwind-context.ts";

/** Longest x86 instruction. Bytes. */
const MAX_INSTRUCTION = 15;
/** A chain crosses a task, a softirq, a hardirq and some exception stacks; more is a damaged chain. */
const MAX_STACKS = 12;

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Frames, and in words whether any are missing between them (see DetailedBacktrace). */
export type MappedTrace = Backtrace & { readonly gap?: string | null };

export interface ByteRange {
  readonly start: bigint;
  readonly end: bigint;
}

export class MapContext {
  readonly kernel: Kernel;
  readonly diagnosis: Diagnosis;
  readonly trace: MappedTrace;
  readonly debugInfo: DebugInfo | null;
  readonly unwind: UnwindContext;
  readonly task: Task | null;
  /** The task's own canary and the one its CPU compares with; they differ where the reference was changed. */
  readonly canaries: { readonly task: bigint | null; readonly reference: bigint | null };
  readonly damage: ByteRange | null;
  /** Where the data that ran over begin, below the damage; null where that is not known. */
  readonly source: bigint | null;
  readonly codeText = new Map<string, string>();
  readonly #evidence = new Map<bigint, string[]>();
  readonly #canaryUses = new Map<FunctionCode, CanaryUse | null>();
  readonly #frames = new Map<string, number>();

  constructor(kernel: Kernel, diagnosis: Diagnosis, trace: MappedTrace, debugInfo: DebugInfo | null) {
    this.kernel = kernel;
    this.diagnosis = diagnosis;
    diagnosis.frames.forEach((frame, index) => {
      const key = `${frame.sp} ${frame.address}`;
      if (!frame.inlined && !this.#frames.has(key)) this.#frames.set(key, index);
    });
    this.trace = trace;
    this.debugInfo = debugInfo;
    this.unwind = unwindContext(kernel);
    this.task = trace.task === null ? null : kernel.task(trace.task);
    const cpu = trace.cpu ?? kernel.panic.cpu;
    this.canaries = {
      task: this.task?.canary ?? null,
      reference: cpu === null ? null : (kernel.referenceCanary(cpu)?.value ?? null),
    };
    const { corruption } = diagnosis;
    this.damage = corruption === null ? null : { start: BigInt(corruption.start), end: BigInt(corruption.end) };
    for (const item of diagnosis.evidence) {
      if (item.address === null) continue;
      const word = BigInt(item.address) & ~7n;
      this.#evidence.set(word, [...(this.#evidence.get(word) ?? []), item.id]);
    }
    const pattern = diagnosis.evidence.find((item) => item.id === "damage-pattern")?.address ?? null;
    this.source =
      pattern !== null && this.damage !== null && BigInt(pattern) < this.damage.start ? BigInt(pattern) : null;
  }

  /** The stacks to map, in the order of the chain. */
  stacks(): StackRange[] {
    const stacks: StackRange[] = [];
    const add = (stack: StackRange | null): void => {
      if (stack !== null && stacks.length < MAX_STACKS && !stacks.some((one) => one.low === stack.low))
        stacks.push(stack);
    };
    for (const frame of this.trace.frames) add(this.stackOf(frame));
    const { stack } = this.diagnosis;
    if (stack !== null) add(this.kernel.stackAt(BigInt(stack.low))?.stack ?? null);
    // RSP was led astray: the task's own stack still shows where it came from.
    if (stacks.length === 0 && this.task?.stack != null) add(this.kernel.stackAt(this.task.stack)?.stack ?? null);
    return stacks;
  }

  /** The stack of a frame; of one whose RSP lies even below the guard page, the stack that its caller is on. */
  stackOf(frame: Frame): StackRange | null {
    if (frame.stack !== null || frame.cfa === null) return frame.stack;
    return this.unwind.stackAt(frame.cfa - 8n);
  }

  /** Ids of evidence about the word at `address`. */
  evidenceAt(address: bigint): readonly string[] {
    return this.#evidence.get(address) ?? [];
  }

  /** Ids of evidence with an address in `[start, end)`. */
  evidenceIn(start: bigint, end: bigint): string[] {
    return [...this.#evidence].flatMap(([word, ids]) => (word >= start && word < end ? ids : []));
  }

  /** Bytes of the 8 at `address` that the damage covers. */
  damageAt(address: bigint): readonly [number, number] | null {
    if (this.damage === null || this.damage.end <= address || this.damage.start >= address + 8n) return null;
    const first = this.damage.start > address ? Number(this.damage.start - address) : 0;
    const end = this.damage.end < address + 8n ? Number(this.damage.end - address) : 8;
    return [first, end];
  }

  isSource(address: bigint): boolean {
    return this.source !== null && address + 8n > this.source && address < this.damage!.start;
  }

  /** Index of a frame in the diagnosis, which may have inlined ones between; null where it is not in it. */
  frameIndex(frame: Frame): number | null {
    return this.#frames.get(`${hex(frame.sp)} ${hex(frame.address)}`) ?? null;
  }

  /** What a function does with its canary; null where it has none. */
  canaryUse(code: FunctionCode): CanaryUse | null {
    let use = this.#canaryUses.get(code);
    if (use === undefined) {
      use = canaryUse(this.unwind.reader, code);
      this.#canaryUses.set(code, use);
    }
    return use;
  }

  /** Notes the text of the instruction at `address` and returns its key in the map's `code`; none where it is not in the dump. */
  code(address: bigint | null | undefined): string[] {
    if (address == null) return [];
    const key = hex(address);
    if (!this.codeText.has(key)) {
      const { bytes, faults } = this.kernel.memory.readSparse(address, MAX_INSTRUCTION);
      if (faults.length > 0 && faults[0]!.virtual <= address) return [];
      const { symbols } = this.kernel;
      const name = (target: bigint): string | null => {
        const at = symbols.byAddress(target);
        if (at === null) return null;
        return at.offset === 0 ? at.symbol.name : `${at.symbol.name}+0x${at.offset.toString(16)}`;
      };
      const text = disassemble(bytes, address, name, 1)[0]?.text;
      if (text === undefined) return [];
      this.codeText.set(key, text.replace(/\s+/g, " "));
    }
    return [key];
  }
}

/** `vfs_write+0xc7 [module]`. */
export function frameLabel(frame: Pick<Frame, "function" | "module" | "offset" | "address">): string {
  if (frame.function === null) return `${hex(frame.address)} (no known function)`;
  const offset = frame.offset === null ? "" : `+0x${frame.offset.toString(16)}`;
  return `${frame.function}${offset}${frame.module === null ? "" : ` [${frame.module}]`}`;
}
