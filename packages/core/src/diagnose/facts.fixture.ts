/** Facts about a crash of a tiny kernel. */
import type { Kernel } from "../kernel/kernel.ts";
import { STACK_HIGH, STACK_LOW, TASK } from "../testing/tiny-kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { DetailedBacktrace } from "../unwind/unwind.ts";
import { unwindContext } from "../unwind/unwind-context.ts";
import { EvidenceLog } from "./evidence.ts";
import type { CrashFacts, Fault } from "./facts.ts";

const WHOLE: DetailedBacktrace = {
  task: TASK,
  cpu: 0,
  source: "note",
  frames: [],
  end: "user",
  stopped: null,
  userRegs: null,
  broken: null,
  brokenFrame: null,
  gap: null,
  displaced: null,
  returned: null,
};

/** A frame at `sp` with its return address into, or its exact place in, a function of the kernel. */
export function frameAt(kernel: Kernel, address: bigint, sp: bigint, more: Partial<Frame> = {}): Frame {
  const range = kernel.symbols.functionAt(address);
  return {
    function: range?.name ?? null,
    module: range?.module ?? null,
    start: range?.start ?? null,
    offset: range === null ? null : Number(address - range.start),
    address,
    sp,
    cfa: null,
    interrupted: false,
    certainty: "proven",
    why: null,
    stack: sp >= STACK_LOW && sp < STACK_HIGH ? (kernel.stackAt(sp)?.stack ?? null) : null,
    registers: new Map(),
    ...more,
  };
}

export interface GivenFacts {
  readonly frames: readonly Frame[];
  /** Index of the frame that faulted. */
  readonly fault?: number;
  readonly kind?: Fault["kind"];
  readonly trace?: Partial<DetailedBacktrace>;
  readonly detector?: number;
}

export function factsOf(kernel: Kernel, { frames, fault, kind, trace, detector }: GivenFacts): CrashFacts {
  return {
    kernel,
    context: unwindContext(kernel),
    evidence: new EvidenceLog(),
    cpu: null,
    task: kernel.task(TASK),
    trace: { ...WHOLE, frames, ...trace },
    frames,
    fault:
      fault === undefined
        ? null
        : { index: fault, frame: frames[fault]!, entry: "page_fault", kind: kind ?? "page-fault" },
    detector: detector ?? null,
    panicCaller: null,
  };
}

export function words(facts: CrashFacts): string {
  return facts.evidence.items.map((item) => item.text).join("\n");
}
