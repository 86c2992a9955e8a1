import { callSitesIn } from "../code/call-site.ts";
import { CodeReader } from "../code/code-reader.ts";
import { textAreas } from "../code/direct-callers.ts";
import type { StackRange } from "../kernel/kernel.ts";
import type { FunctionRange, KernelModule } from "../symbols/symbol-table.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { Answers } from "./keep-answers.ts";
import type { Keeper } from "./keeper.ts";

/** No kernel function is larger; a gap between symbols that is larger holds something else. */
const LONGEST_FUNCTION = 256 * 1024;
/** A module's text is kept whole up to here; of a larger one just the functions near the frames. */
const SMALL_TEXT = 256 * 1024;
/** Functions kept for being called from, or calling, those on the crashed stack. */
const MOST_NEIGHBOURS = 2048;
/** What is called from more places (panic, printk, the canary's check) is no link in a chain that its callers could prove. */
const MOST_CALLERS = 16;
const ORC_STEP = 256n;
const SCAN_CHUNK = 1 << 20;

/**
 * Keeps the code that a diagnosis may read, and its unwind data: every function with a return address anywhere on the stacks
 * that were in use on a CPU, even below the stack pointer; what the functions on the crashed stack call and are called by;
 * small modules' code whole. (The functions in the used part of every other stack are kept by asking for backtraces.)
 */
export function keepText(keeper: Keeper, stacks: readonly StackRange[], answers: Answers): void {
  const functions = new Map<bigint, FunctionRange>();
  const add = (range: FunctionRange | null): void => {
    if (range !== null && range.end - range.start <= BigInt(LONGEST_FUNCTION)) functions.set(range.start, range);
  };
  const { symbols } = keeper.kernel;
  for (const stack of stacks) {
    if (stack.task !== null && keeper.kernel.task(stack.task)?.running !== true) continue;
    for (const address of textWordsOn(keeper, stack)) add(symbols.functionAt(address));
  }
  const live = new Map<bigint, FunctionRange>();
  for (const frame of answers.all) add(functionOf(keeper, frame));
  for (const frame of answers.crashed) {
    const range = functionOf(keeper, frame);
    if (range !== null) live.set(range.start, range);
  }
  for (const neighbour of neighbours(keeper, live)) add(neighbour);
  for (const range of functions.values()) keepFunction(keeper, range);
  for (const module of symbols.modules) keepSmallText(keeper, module);
}

function functionOf({ kernel }: Keeper, frame: Frame): FunctionRange | null {
  return kernel.symbols.functionAt(frame.interrupted ? frame.address : frame.address - 1n);
}

/** Words on a stack that may be return addresses, as addresses inside the function that they return into. */
function* textWordsOn(keeper: Keeper, stack: StackRange): Iterable<bigint> {
  const { symbols } = keeper.kernel;
  const { bytes } = keeper.space.readSparse(stack.low, Number(stack.high - stack.low));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    // Kernel and module text lies in the top 2 GiB; a cheap test before any bigint is made.
    if (view.getUint32(at + 4, true) !== 0xffffffff) continue;
    const address = view.getBigUint64(at, true) - 1n;
    if (symbols.isText(address)) yield address;
  }
}

function* neighbours(keeper: Keeper, live: ReadonlyMap<bigint, FunctionRange>): Iterable<FunctionRange> {
  const { symbols } = keeper.kernel;
  const reader = new CodeReader(keeper.space, symbols);
  const found = new Set<bigint>();
  function* distinct(range: FunctionRange | null): Iterable<FunctionRange> {
    if (range === null || found.has(range.start) || found.size >= MOST_NEIGHBOURS) return;
    found.add(range.start);
    yield range;
  }
  for (const range of live.values()) {
    for (const site of callSitesIn(reader, range.start)) {
      if (site.target !== null) yield* distinct(symbols.functionAt(site.target));
    }
  }
  const modules = new Set([null, ...[...live.values()].map((range) => range.module)]);
  const callers = new Map<bigint, bigint[]>([...live.keys()].map((target) => [target, []]));
  for (const module of modules) {
    for (const area of textAreas(reader, module)) noteCalls(keeper, area.start, area.size, callers);
  }
  for (const calls of callers.values()) {
    if (calls.length > MOST_CALLERS) continue;
    for (const call of calls) yield* distinct(symbols.functionAt(call));
  }
}

/** Adds the near calls and jumps in a range to the functions (by first address) that they go to: one pass for all of them. */
function noteCalls(keeper: Keeper, start: bigint, size: number, callers: ReadonlyMap<bigint, bigint[]>): void {
  for (let done = 0; done < size; done += SCAN_CHUNK) {
    const base = start + BigInt(done);
    const bytes = keeper.space.scan(base, Math.min(SCAN_CHUNK + 4, size - done));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const wanted = new Map<number, bigint[]>();
    for (const [target, calls] of callers) wanted.set(Number(target - base), calls);
    for (const opcode of [0xe8, 0xe9]) {
      const last = Math.min(SCAN_CHUNK, bytes.length - 4);
      for (let i = bytes.indexOf(opcode); i >= 0 && i < last; i = bytes.indexOf(opcode, i + 1)) {
        const calls = wanted.get(i + 5 + view.getInt32(i + 1, true));
        if (calls !== undefined && calls.length <= MOST_CALLERS) calls.push(base + BigInt(i));
      }
    }
  }
}

function keepFunction(keeper: Keeper, range: FunctionRange): void {
  keeper.between(range.start, range.end);
  for (let pc = range.start; pc < range.end; pc += ORC_STEP) keeper.kernel.orc?.find(pc);
  keeper.kernel.orc?.find(range.end - 1n);
  keepOrcLookup(keeper, range);
}

/** `orc_lookup`, the kernel's own index of its ORC table (a u32 for each 256 bytes of text), by which crash unwinds. */
function keepOrcLookup(keeper: Keeper, range: FunctionRange): void {
  const table = keeper.symbol("orc_lookup");
  const text = keeper.symbol("_stext");
  if (table === null || text === null || range.module !== null || range.start < text) return;
  const first = table + ((range.start - text) / ORC_STEP) * 4n;
  keeper.between(first, first + ((range.end - range.start) / ORC_STEP + 3n) * 4n);
}

function keepSmallText(keeper: Keeper, module: KernelModule): void {
  for (const area of module.areas) if (area.text && area.size <= SMALL_TEXT) keeper.range(area.start, area.size);
}
