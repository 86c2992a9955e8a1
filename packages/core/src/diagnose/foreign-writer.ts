/**
 * The code behind a pointer that somebody keeps into a damaged stack: the function stored beside it (a timer's, a work
 * item's, …), and whether its instructions store through that very field.
 */
import { ARGUMENTS, followValues, storedThrough, type Value } from "../code/value-flow.ts";
import type { CrashFacts } from "./facts.ts";
import type { Holder } from "./holders.ts";

export interface Writer {
  readonly holder: Holder;
  readonly function: string;
  readonly module: string | null;
  /** Where its address is kept. */
  readonly at: bigint;
  /** What keeps it: "timer", "work item", … or null where no such object was recognised. */
  readonly what: string | null;
  /** Where it stores through the pointer; null where its code does not show that. */
  readonly stores: { readonly address: bigint; readonly in: string } | null;
}

/** Objects that are handed to the function they name: member of the function, and what a person calls them. */
const CALLBACKS: readonly (readonly [string, string, string])[] = [
  ["timer_list", "function", "timer"],
  ["hrtimer", "function", "high-resolution timer"],
  ["work_struct", "func", "work item"],
  ["tasklet_struct", "callback", "tasklet"],
  ["callback_head", "func", "RCU callback"],
  ["wait_queue_entry", "func", "wait queue entry"],
  ["notifier_block", "notifier_call", "notifier"],
  ["irq_work", "func", "irq work"],
  ["__call_single_data", "func", "cross-CPU call"],
];

/** Calls followed into functions that get the object. */
const MAX_DEPTH = 2;

/** The functions beside a holder's pointer, those that are seen to store through it first. */
export function writersOf(facts: CrashFacts, holder: Holder): Writer[] {
  const { kernel, context } = facts;
  const writers: Writer[] = [];
  for (let at = holder.low & ~7n; at < holder.high; at += 8n) {
    const value = kernel.memory.u64(at);
    if (value === null || !kernel.symbols.isText(value)) continue;
    const range = kernel.symbols.functionAt(value);
    // A function's address, not a return address.
    if (range === null || range.start !== value) continue;
    for (const [struct, member, what] of [...CALLBACKS, [null, null, null] as const]) {
      const offset = struct === null ? null : (kernel.types.member(struct, member)?.offset ?? null);
      if (struct !== null && offset === null) continue;
      const object = offset === null ? holder.low : at - BigInt(offset);
      const distance = holder.at - object;
      if (struct !== null && (object < holder.low - 64n || distance < -256n)) continue;
      const stores = storesThroughField(facts, value, distance, MAX_DEPTH);
      if (stores === null && struct !== null) continue;
      writers.push({ holder, function: range.name, module: range.module, at, what, stores });
      break;
    }
  }
  void context;
  return writers.sort((a, b) => Number(b.stores !== null) - Number(a.stores !== null));
}

/** Does the function store through the pointer at `distance` bytes in the object that its first argument points to? */
function storesThroughField(
  facts: CrashFacts,
  entry: bigint,
  distance: bigint,
  depth: number,
  argument = 0,
): Writer["stores"] {
  const code = facts.context.reader.functionAt(entry);
  if (code === null) return null;
  let found: Writer["stores"] = null;
  const isPointer = (value: Value | null): boolean =>
    value?.kind === "field" && value.offset === distance && value.of.kind === "argument" && value.of.index === argument;
  followValues(code, { currentTask: null }, (instruction, registers) => {
    if (found !== null) return;
    if (isPointer(storedThrough(instruction, registers))) {
      found = { address: instruction.address, in: code.range.name };
      return;
    }
    if (depth === 0 || instruction.flow !== "call" || instruction.target === null) return;
    for (const [index, name] of ARGUMENTS.entries()) {
      const value = registers.get(name);
      if (value === undefined) continue;
      // The object goes on to a function that writes; or the pointer itself does, to one that stores through its argument.
      if (value.kind === "argument" && value.index === argument) {
        found ??= storesThroughField(facts, instruction.target, distance, depth - 1, index);
      } else if (isPointer(value)) {
        found ??= storesThroughArgument(facts, instruction.target, index);
      }
    }
  });
  return found;
}

/** Does the function store through its argument, or jump on with it to one that does? */
export function storesThroughArgument(
  facts: CrashFacts,
  entry: bigint,
  argument: number,
  depth = MAX_DEPTH,
): Writer["stores"] {
  const code = facts.context.reader.functionAt(entry);
  if (code === null) return null;
  // The pointer is moved along, and the string instructions store through rdi.
  if (argument === 0 && code.instructions.some((one) => /^(stos|movs)/.test(one.mnemonic))) {
    return { address: code.range.start, in: code.range.name };
  }
  let found: Writer["stores"] = null;
  followValues(code, { currentTask: null }, (instruction, registers) => {
    if (found !== null) return;
    const isArgument = (value: Value | null | undefined) => value?.kind === "argument" && value.index === argument;
    if (isArgument(storedThrough(instruction, registers))) {
      found = { address: instruction.address, in: code.range.name };
      return;
    }
    const { target } = instruction;
    const leaves = instruction.flow === "jump" || instruction.flow === "call";
    if (!leaves || depth === 0 || target === null || (target >= code.range.start && target < code.range.end)) return;
    const index = ARGUMENTS.findIndex((name) => isArgument(registers.get(name)));
    const stores = index < 0 ? null : storesThroughArgument(facts, target, index, depth - 1);
    if (stores !== null) found = { address: instruction.address, in: code.range.name };
  });
  return found;
}
