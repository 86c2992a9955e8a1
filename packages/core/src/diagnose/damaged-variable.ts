/** The variable that the damage began in, where debug information names those of the frame. */
import type { Variable } from "../debuginfo/debug-info.ts";
import { frameStates } from "../debuginfo/variables-frames.ts";
import { formatDeclaration } from "../types/format-c.ts";
import { stripTypedefs } from "../types/strip.ts";
import type { DamagedVariable, Diagnosis } from "./diagnosis.ts";
import { hex } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";
import type { Hypothesis } from "./hypothesis.ts";

type Corruption = NonNullable<Diagnosis["corruption"]>;

/** A variable's extent: [low, high). */
interface Placed {
  readonly variable: Variable;
  readonly low: bigint;
  readonly high: bigint;
}

/** Between a buffer and what the compiler puts above it: alignment, or a register that was put aside. Bytes. */
const PADDING = 16n;

/**
 * Names the variable that holds the first damaged byte, or that ends just below it, and says so among the evidence. The
 * corruption with its `variable`; as it was where there is no debug information, or no such variable.
 */
export function nameDamagedVariable(
  facts: CrashFacts,
  { kind, corruption }: Pick<Hypothesis, "kind" | "corruption">,
): Corruption | null {
  const { debugInfo } = facts.kernel;
  if (corruption === null || debugInfo === null) return corruption;
  const start = BigInt(corruption.start);
  const index = facts.frames.findIndex((frame) => frame.cfa !== null && frame.sp <= start && start < frame.cfa);
  if (index < 0) return corruption;
  const state = frameStates(facts.context, facts.trace)[index]!;
  const placed = debugInfo.stackVariablesAt(state).flatMap(extentOf);
  const from = dataStart(facts, start);
  // A write from elsewhere need not have come through what lies below it.
  const hit = choose(placed, start, from, kind === "stack-buffer-overflow");
  if (hit === null) return corruption;
  const variable = describe(hit);
  facts.evidence.add("variable-hit", hit.low, sentence(hit, variable, start, from, BigInt(corruption.end)));
  return { ...corruption, variable };
}

function extentOf(variable: Variable): Placed[] {
  const { place, size } = variable;
  if (place.kind !== "memory" || size === null) return [];
  return [{ variable, low: place.address, high: place.address + BigInt(size) }];
}

/** Where the data that ran out of bounds begin, if they were seen to begin below the first byte out of bounds. */
function dataStart(facts: CrashFacts, start: bigint): bigint {
  const seen = facts.evidence.items.find((one) => one.id === "damage-starts-in-frame")?.address;
  const from = seen == null ? start : BigInt(seen);
  return from < start ? from : start;
}

/**
 * The variable in which the data begin; else the one that holds the first byte out of bounds; else the buffer that ends just
 * below it. Of several in one place, what can be overrun: an array before a struct before a scalar; then the smallest.
 */
function choose(placed: readonly Placed[], start: bigint, from: bigint, overrun: boolean): Placed | null {
  const holding = (address: bigint) => placed.filter(({ low, high }) => low <= address && address < high);
  const near = ({ high }: Placed) => high <= start && start - high <= PADDING && high > from - PADDING;
  const below = overrun ? placed.filter(near) : [];
  for (const candidates of [holding(from), holding(start), below]) {
    const [best] = candidates.toSorted((a, b) => rank(a) - rank(b) || Number(b.high - a.high) || size(a) - size(b));
    if (best !== undefined) return best;
  }
  return null;
}

function rank({ variable }: Placed): number {
  const { kind } = stripTypedefs(variable.type);
  return kind === "array" ? 0 : kind === "struct" || kind === "union" ? 1 : 2;
}

function size({ low, high }: Placed): number {
  return Number(high - low);
}

function describe({ variable, low, high }: Placed): DamagedVariable {
  return {
    name: variable.name,
    type: formatDeclaration(variable.type, ""),
    function: variable.function,
    low: hex(low),
    high: hex(high),
  };
}

function sentence(hit: Placed, variable: DamagedVariable, start: bigint, from: bigint, end: bigint): string {
  const declaration = formatDeclaration(hit.variable.type, hit.variable.name);
  const owner = variable.function === null ? "" : ` of ${variable.function}`;
  const what = `\`${declaration}\`${owner}, which lies from ${variable.low} to ${variable.high}`;
  if (start < hit.high) return `The damage begins ${start - hit.low} bytes into ${what}.`;
  const gap = start - hit.high;
  const behind = gap === 0n ? "at the end" : `${gap} bytes behind the end`;
  const place = `The bytes known to be overwritten begin ${behind} of ${what}`;
  if (from < hit.low || from >= hit.high) return `${place}.`;
  const at = from === hit.low ? "at its start" : `${from - hit.low} bytes into it`;
  return `${place}; the data begin ${at} and go on for ${end - from} bytes, where ${hit.high - from} fit.`;
}
