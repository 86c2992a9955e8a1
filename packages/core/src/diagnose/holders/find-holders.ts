/** Who holds a pointer into a range of a stack, and whose code writes through it. */
import { addressUsers } from "../../code/address-users.ts";
import { followPointer } from "../../code/pointer-flow.ts";
import type { Kernel, StackRange } from "../../kernel/kernel.ts";
import { unwindContext } from "../../unwind/unwind-context.ts";
import { callbacksIn, callGuesses } from "./callbacks.ts";
import { describePlace } from "./describe-place.ts";
import type { Callback, Holder, Place, Writer } from "./holder.ts";
import { MOST_FOUND, scanForPointers } from "./pointer-scan.ts";
import { planSearch, type SearchRange } from "./search-ranges.ts";

export interface HolderSearch {
  /** Those whose code is known to write first. */
  readonly holders: readonly Holder[];
  /** What was not searched, in words; empty where all was. */
  readonly leftOut: readonly string[];
}

/** Holders described and followed; of more, those found first. */
const MOST_HOLDERS = 48;
/** Instructions followed for all holders together; a writer is mostly found within some hundred. */
const MOST_STEPS = 200_000;
/** Variables of the kernel itself whose users are looked for: each takes a pass over all of its text. */
const MOST_KERNEL_VARIABLES = 2;
/** An object with more code pointers than this is a table of operations, of which any or none may be the one. */
const MOST_FOLLOWED = 4;

/**
 * Searches module and kernel data, per-CPU areas, other stacks, slab memory and the registers of other CPUs for pointers
 * with a value in [low, high), and follows the code that could use each.
 * @param own the stack that the range is on: pointers on it are its own functions' business and not searched
 */
export function findHolders(kernel: Kernel, low: bigint, high: bigint, own: StackRange | null): HolderSearch {
  const plan = planSearch(kernel);
  const places: { address: bigint; range: SearchRange }[] = [];
  const frames = new Set<bigint>();
  for (const range of plan.ranges) {
    if (own !== null && range.start === own.low) continue;
    const found: bigint[] = [];
    scanForPointers(kernel.memory, range.start, range.size, low, high, found);
    for (const address of found) {
      // Read again, so that a memory that keeps account knows. One page may be mapped in two places: the first one counts.
      if (kernel.memory.u64(address) === null) continue;
      const physical = kernel.memory.translate(address) ?? address;
      if (frames.has(physical) || places.length >= MOST_FOUND) continue;
      frames.add(physical);
      places.push({ address, range });
    }
  }
  const leftOut = [...plan.leftOut];
  if (places.length > MOST_HOLDERS) leftOut.push(`what ${places.length - MOST_HOLDERS} more pointers there belong to`);
  let written = false;
  let kernelVariables = 0;
  const budget = { left: MOST_STEPS };
  const holders = places.slice(0, MOST_HOLDERS).map(({ address, range }): Holder => {
    const place = describePlace(kernel, plan.slabs, range, address);
    const value = kernel.memory.u64(address) ?? 0n;
    const callbacks = place.object === null ? [] : callbacksIn(kernel, place.object.low, place.object.high, address);
    // All of the kernel's own text is a long way to go for a variable that an oops may just have set.
    const far = place.kind === "kernel-data";
    const follow = !far || (!written && kernelVariables++ < MOST_KERNEL_VARIABLES);
    const writer = follow ? writerThrough(kernel, address, place, callbacks, budget) : null;
    written ||= writer?.certainty === "stores";
    return { address, value, place, callbacks, writer };
  });
  return { holders: [...registerHolders(kernel, low, high), ...holders], leftOut };
}

/** The code that writes through the pointer at `holder`: what is called with the object, or what names the variable. */
function writerThrough(
  kernel: Kernel,
  holder: bigint,
  place: Place,
  callbacks: readonly Callback[],
  budget: { left: number },
): Writer | null {
  const { reader } = unwindContext(kernel);
  let best: Writer | null = null;
  const consider = (writer: Writer): boolean => {
    if (best === null || (best.certainty !== "stores" && writer.certainty === "stores")) best = writer;
    return best.certainty === "stores";
  };
  const { object } = place;
  if (object !== null) {
    for (const callback of callbacks.slice(0, MOST_FOLLOWED)) {
      for (const guess of callGuesses(kernel, callback, object.low, object.high)) {
        const use = followPointer(reader, callback.function.start, { entry: guess.args, holder, budget });
        if (use === null) continue;
        const role = guess.role ?? callback.role;
        const how = role === null ? "a function kept beside the pointer" : `the callback of a ${role} there`;
        if (consider({ function: callback.function, certainty: use.kind, how, at: use.at })) return best;
      }
    }
  }
  if (place.kind === "module-data" || place.kind === "kernel-data") {
    const from = object?.low ?? holder;
    for (const range of addressUsers(reader, place.module, from, holder + 8n)) {
      const use = followPointer(reader, range.start, { holder, budget });
      if (use === null) continue;
      const how = place.module === null ? "a function that names the variable" : "a function of its module";
      if (consider({ function: range, certainty: use.kind, how, at: use.at })) return best;
    }
  }
  const named = callbacks.find((callback) => callback.role !== null) ?? (callbacks.length === 1 ? callbacks[0]! : null);
  if (best === null && named !== null) {
    const how =
      named.role === null ? "the only function kept beside the pointer" : `the callback of a ${named.role} there`;
    best = { function: named.function, certainty: "near", how, at: null };
  }
  return best;
}

/** Other CPUs that had such a pointer in a register when the dump was taken: they may have been writing just then. */
function registerHolders(kernel: Kernel, low: bigint, high: bigint): Holder[] {
  const found: Holder[] = [];
  for (const cpu of kernel.cpus) {
    const { registers } = cpu;
    if (registers === null || cpu.number === kernel.panic.cpu) continue;
    const range = kernel.symbols.functionAt(registers.rip);
    if (range === null) continue;
    for (const [name, value] of Object.entries(registers)) {
      if (typeof value !== "bigint" || value < low || value >= high) continue;
      if (name === "rsp" || name === "rbp") continue;
      const place: Place = {
        kind: "register",
        text: `${name.toUpperCase()} of CPU ${cpu.number}, in ${range.name}`,
        object: null,
        module: range.module,
        cache: null,
        stack: null,
      };
      const writer: Writer = {
        function: range,
        certainty: "near",
        how: `running on CPU ${cpu.number}`,
        at: registers.rip,
      };
      found.push({ address: null, value, place, callbacks: [], writer });
    }
  }
  return found;
}
