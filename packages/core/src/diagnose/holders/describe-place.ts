/** What a place in memory is, for a person: a variable, an object of a slab cache, a frame on another stack. */

import { callSiteBefore } from "../../code/call-site.ts";
import type { Kernel, StackRange } from "../../kernel/kernel.ts";
import type { Frame } from "../../unwind/backtrace.ts";
import { backtrace } from "../../unwind/unwind.ts";
import { unwindContext } from "../../unwind/unwind-context.ts";
import { hex } from "../evidence.ts";
import type { Place } from "./holder.ts";
import type { SearchRange } from "./search-ranges.ts";
import type { SlabPages } from "./slab-pages.ts";

/** A variable is taken to end with the next symbol; no further than this. */
const MOST_VARIABLE = 1n << 20n;
/** Symbols stepped over when looking for the end of a variable. */
const STEP = 8n;

export function describePlace(kernel: Kernel, slabs: SlabPages | null, range: SearchRange, address: bigint): Place {
  const none = { object: null, module: null, cache: null, stack: null };
  switch (range.kind) {
    case "module-data":
    case "kernel-data": {
      const variable = variableAt(kernel, address, range);
      const module = typeof range.of === "string" ? range.of : null;
      const where = variable === null ? "" : nameAt(variable.name, address - variable.low);
      const of = module === null ? "" : ` [${module}]`;
      const text = variable === null ? `the data of ${module ?? "the kernel"} at ${hex(address)}` : `${where}${of}`;
      return { ...none, kind: range.kind, text, object: variable, module };
    }
    case "per-cpu": {
      const cpu = kernel.cpus.find((one) => one.number === range.of);
      const symbol = cpu === undefined ? null : perCpuVariable(kernel, address, cpu.perCpuOffset);
      const name = symbol === null ? `per-CPU memory at ${hex(address)}` : `per-CPU variable ${symbol.text}`;
      return { ...none, kind: "per-cpu", text: `${name} of CPU ${range.of}`, object: symbol?.object ?? null };
    }
    case "slab": {
      const object = slabs?.objectAt(address) ?? null;
      if (object === null) return { ...none, kind: "memory", text: `memory at ${hex(address)}` };
      const text = `an object of the slab cache ${object.cache} (${hex(object.low)}+${address - object.low})`;
      return { ...none, kind: "slab", text, object, cache: object.cache };
    }
    case "stack":
      return describeOnStack(kernel, address);
    default:
      return { ...none, kind: "memory", text: `memory at ${hex(address)}` };
  }
}

function nameAt(name: string, offset: bigint): string {
  return offset === 0n ? name : `${name}+${offset}`;
}

/** The variable of a section that holds an address, up to the next symbol. */
function variableAt(kernel: Kernel, address: bigint, range: { readonly start: bigint; readonly size: number }) {
  const found = kernel.symbols.byAddress(address);
  if (found === null || found.symbol.address < range.start) return null;
  const limit = range.start + BigInt(range.size);
  const end = nextSymbol(kernel, found.symbol.address, limit);
  return { name: found.symbol.name, low: found.symbol.address, high: end };
}

/** Where the symbol behind the one at `start` begins: found by doubling steps, then by halving. */
function nextSymbol(kernel: Kernel, start: bigint, limit: bigint): bigint {
  const same = (at: bigint) => kernel.symbols.byAddress(at)?.symbol.address === start;
  let known = start;
  let step = STEP;
  while (known + step < limit && step <= MOST_VARIABLE && same(known + step)) {
    known += step;
    step *= 2n;
  }
  for (; step >= STEP; step /= 2n) while (known + step < limit && same(known + step)) known += step;
  return known + STEP < limit ? known + STEP : limit;
}

/** Per-CPU symbols are offsets into the section up to 6.14, addresses of its first image since (see kernel/percpu.ts). */
export function perCpuVariable(kernel: Kernel, address: bigint, perCpuOffset: bigint) {
  const inSection = BigInt.asUintN(64, address - perCpuOffset);
  const start = kernel.symbols.byName("__per_cpu_start", null)?.address ?? 0n;
  const end = kernel.symbols.byName("__per_cpu_end", null)?.address ?? 0n;
  if (inSection < start || inSection >= end) return null;
  const found = kernel.symbols.byAddress(inSection);
  if (found === null) return null;
  const next = nextSymbol(kernel, found.symbol.address, end);
  const low = BigInt.asUintN(64, found.symbol.address + perCpuOffset);
  return {
    name: found.symbol.name,
    text: nameAt(found.symbol.name, inSection - found.symbol.address),
    object: { low, high: low + (next - found.symbol.address) },
  };
}

/** The function whose frame holds a word: the nearest proven frame of the stack's trace, or stale. */
function describeOnStack(kernel: Kernel, address: bigint): Place {
  const none = { object: null, module: null, cache: null };
  const stack = kernel.stackAt(address)?.stack ?? null;
  if (stack === null) return { ...none, kind: "stack", text: `a stack at ${hex(address)}`, stack: null };
  const owner = stack.task === null ? null : kernel.task(stack.task);
  const whose =
    owner !== null
      ? `the stack of task ${owner.pid} (${owner.comm})`
      : `the ${stack.name === "" ? stack.kind : `${stack.kind} ${stack.name}`} stack${stack.cpu === null ? "" : ` of CPU ${stack.cpu}`}`;
  const frames = framesOn(kernel, stack);
  const frame = frames.find(
    (one) => one.stack?.low === stack.low && one.cfa !== null && address >= one.sp && address < one.cfa,
  );
  const lowest = frames.find((one) => one.stack?.low === stack.low);
  const live = frame !== undefined || (lowest !== undefined && address >= lowest.sp);
  const stale = live ? null : staleFunctionAbove(kernel, address, stack.high);
  const name = frame?.function ?? stale;
  const where = live
    ? name === null
      ? "in use"
      : `in the frame of ${name}`
    : `left over${name === null ? "" : `, near a frame of ${name}`}`;
  return {
    ...none,
    kind: "stack",
    text: `${whose}, ${where}`,
    module: frame?.module ?? null,
    stack: { range: stack, live, function: name },
  };
}

const traces = new WeakMap<Kernel, Map<bigint, readonly Frame[]>>();

/** The frames of whoever is on a stack; walked once, since a stack that is destroyed takes long. */
function framesOn(kernel: Kernel, stack: StackRange): readonly Frame[] {
  let known = traces.get(kernel);
  if (known === undefined) {
    known = new Map();
    traces.set(kernel, known);
  }
  let frames = known.get(stack.low);
  if (frames === undefined) {
    frames = backtrace(kernel, stack.task !== null ? { task: stack.task } : { cpu: stack.cpu ?? 0 }).frames;
    known.set(stack.low, frames);
  }
  return frames;
}

/** The function that the next return address above leads into: the caller of whoever's frame the word lay in. */
function staleFunctionAbove(kernel: Kernel, address: bigint, high: bigint): string | null {
  const { reader } = unwindContext(kernel);
  for (let at = address + 8n; at < high && at < address + 512n; at += 8n) {
    const word = kernel.memory.u64(at);
    if (word === null || !kernel.symbols.isText(word - 1n)) continue;
    const site = callSiteBefore(reader, word);
    if (site === null) continue;
    const callee = site.target === null ? null : kernel.symbols.functionAt(site.target);
    return callee?.name ?? null;
  }
  return null;
}
