/** A stack's words: what each holds, and what is known of it. */
import { wordMeaning } from "../diagnose/word.ts";
import type { StackRange } from "../kernel/kernel.ts";
import { STACK_END_MAGIC, stackEndAt } from "../kernel/stack-end.ts";
import type { StaleReturn } from "../unwind/backtrace.ts";
import { hex, type MapContext } from "./map-context.ts";
import type { MappedVariable, StackWord, WordKind } from "./stack-map.ts";

const PAGE = 4096n;

/** What a word of a frame is for; whether it holds what it should is told from it. */
export interface KnownWord {
  readonly kind: WordKind;
  readonly label: string;
  readonly why: string | null;
  readonly state: StackWord["state"];
  readonly expected: bigint | null;
  readonly code: readonly string[];
}

export type KnownWords = ReadonlyMap<bigint, KnownWord>;

const NOTHING_KNOWN: KnownWords = new Map();

export class StackContents {
  readonly #context: MapContext;
  readonly #low: bigint;
  readonly #high: bigint;
  readonly #view: DataView;
  readonly #missing: ReadonlySet<bigint>;
  readonly #stale: ReadonlyMap<bigint, StaleReturn>;
  /** Where STACK_END_MAGIC lies; null on stacks that have none, or where its place is not known. */
  readonly endMarker: bigint | null;

  constructor(context: MapContext, stack: StackRange, stale: readonly StaleReturn[]) {
    this.#context = context;
    this.#low = stack.low;
    this.#high = stack.high;
    const { bytes, faults } = context.kernel.memory.readSparse(stack.low, Number(stack.high - stack.low));
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#missing = new Set(faults.map((fault) => fault.virtual & ~(PAGE - 1n)));
    this.#stale = new Map(stale.map((one) => [one.slot, one]));
    this.endMarker = endMarkerOf(context, stack);
  }

  /** The word at an address; null where it is not in the dump or not on the stack. */
  value(address: bigint): bigint | null {
    if (address < this.#low || address + 8n > this.#high) return null;
    if (this.#missing.size > 0 && this.#missing.has(address & ~(PAGE - 1n))) return null;
    return this.#view.getBigUint64(Number(address - this.#low), true);
  }

  /** The words in `[start, end)` that lie on the stack. */
  words(
    start: bigint,
    end: bigint,
    known: KnownWords = NOTHING_KNOWN,
    variables: readonly MappedVariable[] = [],
  ): StackWord[] {
    const words: StackWord[] = [];
    const bounds = variables.map((one) => ({ name: one.name, start: BigInt(one.start), end: BigInt(one.end) }));
    const from = ((start < this.#low ? this.#low : start) + 7n) & ~7n;
    const to = end > this.#high ? this.#high : end;
    for (let address = from; address + 8n <= to; address += 8n) {
      const inside = bounds.filter((one) => one.start < address + 8n && one.end > address).map((one) => one.name);
      const word = this.#word(address, known.get(address), inside);
      const last = words[words.length - 1];
      if (last !== undefined && sameContent(last, word)) words[words.length - 1] = { ...last, count: last.count + 1 };
      else words.push(word);
    }
    return words;
  }

  #word(address: bigint, known: KnownWord | undefined, variables: readonly string[]): StackWord {
    const value = this.value(address);
    const context = this.#context;
    const what = known ?? this.#guess(address, value);
    const damage = context.damageAt(address);
    // A saved register that the damage covers is lost, whatever it was.
    const lost = damage !== null && what.kind === "saved-register";
    return {
      address: hex(address),
      count: 1,
      value: value === null ? null : hex(value),
      kind: what.kind,
      label: lost ? `${what.label}, overwritten` : what.label,
      why: what.why,
      state: lost ? "bad" : what.state,
      expected: what.expected === null ? null : hex(what.expected),
      damage,
      source: context.isSource(address),
      variables,
      code: what.code,
      evidence: context.evidenceAt(address),
    };
  }

  /** What a word is that no frame says anything of. */
  #guess(address: bigint, value: bigint | null): KnownWord {
    const context = this.#context;
    if (value === null) {
      const reason = context.kernel.memory.explain(address)?.reason ?? "absent";
      return plain("missing", `not in the dump (${reason})`);
    }
    if (address === this.endMarker) {
      const good = value === STACK_END_MAGIC;
      const label = good ? "STACK_END_MAGIC, intact" : "STACK_END_MAGIC was here";
      return { ...plain("end-marker", label), state: good ? "good" : "bad", expected: good ? null : STACK_END_MAGIC };
    }
    const stale = this.#stale.get(address);
    if (stale !== undefined) {
      const where = `${stale.function}+0x${stale.offset.toString(16)}${stale.module === null ? "" : ` [${stale.module}]`}`;
      return plain(
        "stale-return",
        `stale: returned to ${where}`,
        "A return address that belongs to no live frame: an earlier call left it.",
      );
    }
    if (value === 0n) return plain("zero", "0");
    const { task, reference } = context.canaries;
    if (value === task || value === reference) {
      return plain(
        "stale-canary",
        "stale: a canary",
        "It holds the canary, but no live frame keeps one here: an earlier call left it.",
      );
    }
    const { class: kind, text } = wordMeaning(context.kernel, value);
    return plain("content", kind === "other" ? "" : text);
  }
}

function plain(kind: WordKind, label: string, why: string | null = null): KnownWord {
  return { kind, label, why, state: null, expected: null, code: [] };
}

function endMarkerOf({ kernel }: MapContext, stack: StackRange): bigint | null {
  return stack.kind === "task" ? stackEndAt(kernel, stack.low) : null;
}

const MERGED: ReadonlySet<WordKind> = new Set<WordKind>(["zero", "content", "missing"]);

/** Words that say the same one after the other are one entry; those that evidence is about stand alone. */
function sameContent(last: StackWord, word: StackWord): boolean {
  return (
    last.value === word.value &&
    last.kind === word.kind &&
    MERGED.has(word.kind) &&
    last.label === word.label &&
    last.source === word.source &&
    last.damage === null &&
    word.damage === null &&
    last.evidence.length === 0 &&
    word.evidence.length === 0 &&
    last.variables.join() === word.variables.join()
  );
}
