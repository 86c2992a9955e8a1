/** One stack as regions that lie end to end, from the guard page to the top. */
import type { StackRange } from "../kernel/kernel.ts";
import { PT_REGS_SIZE } from "../unwind/pt-regs.ts";
import { staleReturns } from "../unwind/stale.ts";
import { unwindContext } from "../unwind/unwind-context.ts";
import { type FramePiece, type Piece, piecesOf, type RegistersPiece } from "./frame-extents.ts";
import { frameWords } from "./frame-words.ts";
import { frameLabel, hex, type MapContext } from "./map-context.ts";
import { registerWords } from "./register-words.ts";
import { StackContents } from "./stack-contents.ts";
import type { MappedStack, MappedVariable, RegionKind, StackRegion } from "./stack-map.ts";
import { belowFrames, guardBelow } from "./unused.ts";
import { variablesOf } from "./variables.ts";

/** Smallest page; the guard below a stack is at least that. Bytes. */
const GUARD_SIZE = 4096n;
/** A kernel's largest stack is 64 KiB (KASAN, 16 KiB << 2); anything larger is a damaged figure. Bytes. */
const MAX_STACK = 0x1_0000n;
/** TOP_OF_KERNEL_STACK_PADDING with FRED (arch/x86/include/asm/thread_info.h, 6.9). Bytes. */
const MAX_PADDING = 16n;

export function mapOneStack(context: MapContext, range: StackRange): MappedStack {
  const stack = range.high - range.low > MAX_STACK ? { ...range, low: range.high - MAX_STACK } : range;
  const pieces = piecesOf(context, stack);
  const lowest = pieces[0]?.start ?? stack.high;
  const live = new Set(context.trace.frames.filter((frame) => !frame.interrupted).map((frame) => frame.sp - 8n));
  const stale = staleReturns(unwindContext(context.kernel), stack.low, stack.high, live);
  const contents = new StackContents(context, stack, stale);
  const guard = guardBelow(context, stack);
  const make = new RegionMaker(context, contents, stack);
  const below = belowFrames(contents, stack, lowest, pieces.length > 0);
  const guardEnd = below.parts.length > 0 ? stack.low : lowest;
  const regions: StackRegion[] = [];
  if (guardEnd > stack.low - GUARD_SIZE) regions.push(make.guard(stack.low - GUARD_SIZE, guardEnd, guard, range));
  for (const part of below.parts) regions.push(make.plain(part.kind, part.start, part.end, part.label, part.why));
  let at = lowest > stack.low ? lowest : null;
  for (const piece of pieces) {
    if (at !== null && piece.start > at) regions.push(make.between(at, piece.start, piece));
    regions.push(piece.kind === "frame" ? make.frame(piece) : make.registers(piece));
    at = piece.end;
  }
  if (at !== null && at < stack.high) {
    regions.push(make.top(at));
  }
  return {
    kind: stack.kind,
    name: stack.name,
    cpu: stack.cpu,
    task: stack.task === null ? null : hex(stack.task),
    low: hex(stack.low),
    high: hex(stack.high),
    verdict: context.diagnosis.stack?.low === hex(range.low),
    guard,
    usedBytes: Number(stack.high - lowest),
    deepestUse: below.deepestUse,
    regions,
  };
}

const GUARD_WORDS: Readonly<Record<MappedStack["guard"], string>> = {
  unmapped: "Nothing is mapped here: an access faults. This is the guard page.",
  mapped:
    "This page is mapped: it is no guard page, and what runs over the stack's low end lands in somebody's memory.",
  unknown: "Whether anything is mapped here is not in the dump.",
};

/** Builds regions with what all of them have. */
class RegionMaker {
  readonly #context: MapContext;
  readonly #contents: StackContents;
  readonly #stack: StackRange;

  constructor(context: MapContext, contents: StackContents, stack: StackRange) {
    this.#context = context;
    this.#contents = contents;
    this.#stack = stack;
  }

  guard(start: bigint, end: bigint, guard: MappedStack["guard"], range: StackRange): StackRegion {
    const cut = range.low < this.#stack.low;
    const label = guard === "unmapped" ? "guard page" : "the page below the stack";
    return this.#region("guard", start, end, cut ? "below what is shown" : label, cut ? null : GUARD_WORDS[guard]);
  }

  plain(kind: RegionKind, start: bigint, end: bigint, label: string, why: string | null): StackRegion {
    const words = this.#contents.words(start, end);
    return { ...this.#region(kind, start, end, label, why), words };
  }

  /** Bytes between two pieces, below `next`. */
  between(start: bigint, end: bigint, next: Piece): StackRegion {
    const interrupted = next.kind === "frame" && next.frame.interrupted && end - start < 16n;
    if (interrupted) {
      return this.plain(
        "unclaimed",
        start,
        end,
        "alignment",
        "The CPU aligns the stack to 16 bytes before it saves registers.",
      );
    }
    const missing = next.kind === "frame" && this.#context.trace.gap != null && next.frame.certainty === "inferred";
    const label = missing ? "frames are missing here" : "no known frame";
    const why = missing ? "Their return addresses are overwritten, and nothing else tells them." : null;
    return this.plain("unclaimed", start, end, label, why);
  }

  /** What lies above the outermost frame. */
  top(start: bigint): StackRegion {
    const room = this.#stack.kind === "task" && this.#stack.high - start - BigInt(PT_REGS_SIZE);
    const blank = room !== false && room >= 0n && room <= MAX_PADDING;
    const label = blank ? "room for registers of user mode" : "above the outermost frame";
    return this.plain("unclaimed", start, this.#stack.high, label, blank ? "A kernel thread has none." : null);
  }

  frame(piece: FramePiece): StackRegion {
    const { start, end, frame } = piece;
    const context = this.#context;
    const variables: MappedVariable[] = variablesOf(context, piece);
    const words = this.#contents.words(start, end, frameWords(context, piece), variables);
    const label = piece.continued ? `${frameLabel(frame)}, before it changed stacks` : frameLabel(frame);
    const region = this.#region("frame", start, end, label, frame.why);
    return { ...region, frame: context.frameIndex(frame), variables, words };
  }

  registers(piece: RegistersPiece): StackRegion {
    const { start, end, userMode, whole, of } = piece;
    const label = userMode
      ? "registers of user mode"
      : `registers of the interrupted ${of === null ? "code" : (of.function ?? "code")}`;
    const why = whole
      ? "struct pt_regs, saved when the kernel was entered."
      : "What the CPU pushes on an interrupt: RIP, CS, RFLAGS, RSP, SS.";
    const words = this.#contents.words(start, end, registerWords(piece));
    return { ...this.#region("registers", start, end, label, why), words };
  }

  #region(kind: RegionKind, start: bigint, end: bigint, label: string, why: string | null): StackRegion {
    const { damage } = this.#context;
    return {
      kind,
      start: hex(start),
      end: hex(end),
      bytes: Number(end - start),
      label,
      why,
      frame: null,
      damaged: damage !== null && damage.start < end && damage.end > start,
      evidence: this.#context.evidenceIn(start, end),
      variables: [],
      words: [],
    };
  }
}
