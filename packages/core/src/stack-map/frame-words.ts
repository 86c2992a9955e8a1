/** What the words of a live frame are for: its return address, the registers it saved, its canary. */
import type { FrameSlot } from "../code/canary.ts";
import type { FunctionCode } from "../code/code-reader.ts";
import { CALLEE_SAVED, frameLayout } from "../code/frame-layout.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { layoutAt } from "../unwind/step.ts";
import { tracedReturn } from "../unwind/traced-return.ts";
import type { FramePiece } from "./frame-extents.ts";
import { frameLabel, hex, type MapContext } from "./map-context.ts";
import type { KnownWord } from "./stack-contents.ts";

/** Everything known of the words in a frame's piece of the stack, by address. */
export function frameWords(context: MapContext, piece: FramePiece): Map<bigint, KnownWord> {
  const known = new Map<bigint, KnownWord>();
  const within = (slot: bigint): boolean => slot >= piece.start && slot + 8n <= piece.end;
  const add = (slot: bigint | null, word: () => KnownWord): void => {
    if (slot !== null && within(slot) && !known.has(slot)) known.set(slot, word());
  };
  add(piece.returnSlot, () => returnAddress(context, piece));
  add(piece.switchSlot, () => switchedStack(context, piece));
  if (piece.continued) return known;
  const canary = canarySlot(context, piece.frame);
  add(canary?.slot ?? null, () => canaryWord(context, piece.frame, canary!));
  for (const saved of savedRegisters(context, piece)) add(saved.slot, () => savedWord(context, piece.frame, saved));
  return known;
}

function returnAddress(context: MapContext, piece: FramePiece): KnownWord {
  const { caller } = piece;
  if (caller === null) {
    const label = "return address, overwritten; where it led is not known";
    return { kind: "return-address", label, why: null, state: "bad", expected: null, code: [] };
  }
  const { memory } = context.kernel;
  const found = memory.u64(piece.returnSlot!);
  const to = frameLabel(caller);
  const call = context.unwind.callSite(caller.address)?.instruction.address ?? null;
  const word = { kind: "return-address" as const, code: context.code(call), expected: null };
  if (found === caller.address) {
    return {
      ...word,
      label: `return address: to ${to}`,
      why: `It follows a call in ${caller.function ?? "its caller"} that can have entered this frame.`,
      state: "good",
    };
  }
  if (found !== null && tracedReturn(context.unwind, piece.returnSlot!, found) === caller.address) {
    return {
      ...word,
      label: `return address: to ${to}, through a tracer`,
      why: "A tracer keeps the true return address aside.",
      state: "good",
    };
  }
  const was = caller.certainty === "inferred" && caller.offset === null ? null : caller.address;
  return {
    ...word,
    label:
      was === null
        ? `return address, overwritten; it led to ${to}`
        : `return address, overwritten; it was ${hex(was)}, to ${to}`,
    why: caller.why,
    state: "bad",
    expected: was,
  };
}

function switchedStack(context: MapContext, piece: FramePiece): KnownWord {
  const value = context.kernel.memory.u64(piece.switchSlot!);
  const from = value === null ? null : context.unwind.stackAt(value);
  return {
    kind: "saved-stack-pointer",
    label: `RSP on the ${from?.kind ?? "other"} stack that it came from`,
    why: "Saved when the CPU changed stacks; the chain goes on there.",
    state: "good",
    expected: null,
    code: [],
  };
}

interface CanarySlot {
  readonly slot: bigint;
  readonly code: readonly (bigint | null)[];
}

/** For the split-off `.cold` part of a function, the function itself: there the canary is stored. */
function codeOf(context: MapContext, frame: Frame): FunctionCode | null {
  const { reader } = context.unwind;
  const code = reader.functionAt(frame.interrupted ? frame.address : frame.address - 1n);
  const cold = frame.function === null ? null : /^(.*)\.cold(\.\d+)?$/.exec(frame.function);
  const parent = cold === null ? null : reader.symbols.byName(cold[1]!, frame.module);
  return parent === null ? code : reader.functionAt(parent.address);
}

function canarySlot(context: MapContext, frame: Frame): CanarySlot | null {
  if (frame.cfa === null) return null;
  const code = codeOf(context, frame);
  const use = code === null ? null : context.canaryUse(code);
  if (code === null || use === null) return null;
  const place: FrameSlot | null = use.stored?.depth != null ? use.stored : (use.checks[0]?.slot ?? null);
  if (place?.depth == null) return null;
  const sameFunction = frame.address >= code.range.start && frame.address <= code.range.end;
  const before = use.stored !== null && sameFunction && use.stored.at >= frame.address;
  // Interrupted code may stand behind its check, the frame half taken down; then the layout there says so.
  const depthNow = frame.interrupted ? layoutAt(context.unwind, frame.address, true)?.rspDepth : null;
  if (before || (depthNow != null && depthNow < place.depth)) return null;
  return { slot: frame.cfa - BigInt(place.depth), code: [use.stored?.at ?? null, use.checks[0]?.compare ?? null] };
}

function canaryWord(context: MapContext, frame: Frame, canary: CanarySlot): KnownWord {
  const { task, reference } = context.canaries;
  const value = context.kernel.memory.u64(canary.slot);
  const expected = task ?? reference;
  const code = canary.code.flatMap((address) => context.code(address));
  const word = { kind: "canary" as const, code, expected: null };
  const why = `The prologue of ${frame.function} stores the canary here; it is compared before the function returns.`;
  if (value === null || expected === null) return { ...word, label: "canary", why, state: null };
  if (value === expected) return { ...word, label: "canary, intact", why, state: "good" };
  if (value === reference) {
    return {
      ...word,
      label: "canary: the changed reference, not the task's own",
      why: `${why} The reference had changed by then.`,
      state: null,
      expected,
    };
  }
  return { ...word, label: `canary, overwritten; it was ${hex(expected)}`, why, state: "bad", expected };
}

interface SavedRegister {
  readonly register: string;
  readonly slot: bigint;
}

/** Where the frame keeps its caller's registers: by its own code, and by ORC where that says more. */
function savedRegisters(context: MapContext, piece: FramePiece): SavedRegister[] {
  const { frame } = piece;
  const { cfa } = frame;
  if (cfa === null) return [];
  const layout = layoutAt(context.unwind, frame.address, frame.interrupted);
  const saved: SavedRegister[] = [];
  for (const [register, depth] of layout?.saved ?? []) {
    if (CALLEE_SAVED.includes(register)) saved.push({ register, slot: cfa - BigInt(depth) });
  }
  const entry = context.unwind.orcAt(frame.interrupted ? frame.address : frame.address - 1n);
  if (entry?.type === "call" && entry.bpRegister === "prev-sp" && !saved.some((one) => one.register === "rbp")) {
    saved.push({ register: "rbp", slot: cfa + BigInt(entry.bpOffset) });
  }
  return saved;
}

function savedWord(context: MapContext, frame: Frame, saved: SavedRegister): KnownWord {
  const name = saved.register.toUpperCase();
  const push = pushOf(context, frame, saved);
  return {
    kind: "saved-register",
    label: `saved ${name} of the caller`,
    why: `${frame.function ?? "The function"} must give ${name} back as it was.`,
    state: null,
    expected: null,
    code: context.code(push),
  };
}

/** The instruction that saved it, where it is a push. */
function pushOf(context: MapContext, frame: Frame, saved: SavedRegister): bigint | null {
  const code = context.unwind.reader.functionAt(frame.interrupted ? frame.address : frame.address - 1n);
  if (code === null) return null;
  const depth = Number(frame.cfa! - saved.slot);
  const layout = frameLayout(code);
  const index = code.instructions.findIndex((instruction, at) => {
    const [operand] = instruction.operands;
    const pushes =
      instruction.mnemonic === "push" && operand?.kind === "register" && operand.register === saved.register;
    return pushes && (layout[at]?.rspDepth ?? -1) + 8 === depth;
  });
  return index < 0 ? null : code.instructions[index]!.address;
}
