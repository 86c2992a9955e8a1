/**
 * The stacks of a crash as a map: every byte from the guard page to the top, who it belongs to and what it holds. Plain data
 * that a report draws and a program reads; addresses are "0x…" strings as in the diagnosis it belongs to.
 */
import type { DebugInfo } from "../debuginfo/debug-info.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import { crashTrace } from "../diagnose/facts.ts";
import type { Kernel, StackKind } from "../kernel/kernel.ts";
import { MapContext, type MappedTrace } from "./map-context.ts";
import { mapOneStack } from "./map-one-stack.ts";

export type RegionKind =
  /** The page below the stack. */
  | "guard"
  /** STACK_END_MAGIC, the word at the low end of a task's stack. */
  | "end-marker"
  /** Never written since the stack was made. */
  | "untouched"
  /** Below the innermost frame: left by calls that are over. */
  | "left-over"
  /** A live frame, its return address included. */
  | "frame"
  /** A struct pt_regs, or the part of it that the CPU pushes. */
  | "registers"
  /** Belongs to no frame that is known. */
  | "unclaimed";

export interface StackRegion {
  readonly kind: RegionKind;
  readonly start: string;
  /** One past the last byte. */
  readonly end: string;
  readonly bytes: number;
  /** What it is, for a caption. */
  readonly label: string;
  /** More about it, or null. */
  readonly why: string | null;
  /** Index in the diagnosis's `frames`; null where it belongs to none. */
  readonly frame: number | null;
  /** The damage of the diagnosis touches it. */
  readonly damaged: boolean;
  /** Ids of the evidence that has an address in it. */
  readonly evidence: readonly string[];
  /** Variables in it, where debug information tells them. */
  readonly variables: readonly MappedVariable[];
  /** From low to high; empty for what cannot hold any (a guard page, an empty frame). */
  readonly words: readonly StackWord[];
}

export interface MappedVariable {
  readonly name: string;
  /** As in a cast: `char [64]`. */
  readonly type: string;
  /** The function that declares it; another than the frame's where that one was inlined. */
  readonly function: string | null;
  readonly start: string;
  readonly end: string;
}

export type WordKind =
  | "return-address"
  | "saved-register"
  | "saved-stack-pointer"
  | "canary"
  | "end-marker"
  /** A field of a struct pt_regs. */
  | "register"
  /** A return address that a call that is over left behind. */
  | "stale-return"
  /** The canary of a call that is over. */
  | "stale-canary"
  | "zero"
  /** Anything else: locals, spilled values, what is left of them. */
  | "content"
  /** Not in the dump. */
  | "missing";

export interface StackWord {
  readonly address: string;
  /** This word and the ones above it that hold the same; more than one only for `zero`, `content` and `missing`. */
  readonly count: number;
  readonly value: string | null;
  readonly kind: WordKind;
  /** What it is or could be, short. */
  readonly label: string;
  /** How that is known, or null. */
  readonly why: string | null;
  /** `bad`: it does not hold what it should; null where nobody knows what it should hold. */
  readonly state: "good" | "bad" | null;
  /** What it should hold, or held, where it is `bad` and that is known. */
  readonly expected: string | null;
  /** The bytes of the word that the damage covers, [first, one past the last]; null for none. */
  readonly damage: readonly [number, number] | null;
  /** It holds the data that ran over, below where they left their buffer. */
  readonly source: boolean;
  /** Names of variables that lie in it. */
  readonly variables: readonly string[];
  /** Addresses of instructions that wrote or read it; their text is in the map's `code`. */
  readonly code: readonly string[];
  readonly evidence: readonly string[];
}

export interface MappedStack {
  readonly kind: StackKind;
  /** "DF", "NMI", … for exception stacks; empty else. */
  readonly name: string;
  readonly cpu: number | null;
  /** The task that it belongs to, as `struct task_struct *`. */
  readonly task: string | null;
  readonly low: string;
  readonly high: string;
  /** The verdict is about this stack. */
  readonly verdict: boolean;
  /** What lies below it. */
  readonly guard: "unmapped" | "mapped" | "unknown";
  /** Bytes from the deepest RSP of a live frame to the top; more than the stack's size where it overflowed. */
  readonly usedBytes: number;
  /** Bytes from the lowest word that was ever written to the top; null where nothing tells untouched words from others. */
  readonly deepestUse: number | null;
  /** From low to high, end to end, from the guard page or the deepest RSP to the top. */
  readonly regions: readonly StackRegion[];
}

export interface StackMap {
  /** In the order of the call chain, from the innermost frame's outwards. */
  readonly stacks: readonly MappedStack[];
  /** Text of the instructions that words refer to, by address. */
  readonly code: Readonly<Record<string, string>>;
}

export interface StackMapOptions {
  /** Variables with their bounds come from it; by default the kernel's own. */
  readonly debugInfo?: DebugInfo | null;
  /** The frames to map; by default those of the crash. */
  readonly trace?: MappedTrace;
}

/** Maps the stacks that the crash's call chain runs over, and the one the verdict is about. Never throws for missing memory. */
export function stackMap(kernel: Kernel, diagnosis: Diagnosis, options: StackMapOptions = {}): StackMap {
  const trace = options.trace ?? crashTrace(kernel);
  const context = new MapContext(
    kernel,
    diagnosis,
    trace,
    options.debugInfo === undefined ? kernel.debugInfo : options.debugInfo,
  );
  const stacks = context.stacks().map((stack) => mapOneStack(context, stack));
  return { stacks, code: Object.fromEntries(context.codeText) };
}
