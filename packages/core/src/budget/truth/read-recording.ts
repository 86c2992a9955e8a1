/** What a watched guest writes: lines of hexadecimal addresses (packages/lab/trace/observe.c). */
import { type Placing, samePlace } from "./places.ts";

/** A call that happened. Addresses are the low 32 bits, signed. */
export interface ObservedCall {
  readonly returnAddress: number;
  /** An address in the function that was entered. */
  readonly callee: number;
  readonly times: number;
}

/** A function that ran inside another. */
export interface ObservedNesting {
  readonly caller: number;
  readonly callee: number;
  /** Both ran in the same one of task, softirq and hardirq. */
  readonly sameContext: boolean;
  readonly times: number;
}

/** The kernel and its modules are in the top 2 GiB; anything else is no function of theirs (a trampoline, a user's address). */
function kernelAddress(text: string, placing: Placing): number | null {
  return /^ffffffff[89a-f][0-9a-f]{7}$/.test(text) ? placing(BigInt(`0x${text}`)) : null;
}

function* fields(text: string): Generator<string[]> {
  for (const line of text.split("\n")) if (line !== "") yield line.split(" ");
}

/** Lines "RETURN-ADDRESS FUNCTION TIMES", of ftrace's function tracer. */
export function readCalls(text: string, placing = samePlace): ObservedCall[] {
  const calls: ObservedCall[] = [];
  for (const [from = "", to = "", times = ""] of fields(text)) {
    const returnAddress = kernelAddress(from, placing);
    const callee = kernelAddress(to, placing);
    if (returnAddress !== null && callee !== null) calls.push({ returnAddress, callee, times: Number(times) });
  }
  return calls;
}

/** Lines "CALLER FUNCTION = TIMES" or "… ! TIMES", of the function_graph tracer. */
export function readNestings(text: string, placing = samePlace): ObservedNesting[] {
  const nestings: ObservedNesting[] = [];
  for (const [from = "", to = "", context = "", times = ""] of fields(text)) {
    const caller = kernelAddress(from, placing);
    const callee = kernelAddress(to, placing);
    if (caller === null || callee === null) continue;
    nestings.push({ caller, callee, sameContext: context === "=", times: Number(times) });
  }
  return nestings;
}

/** Lines of addresses, innermost first: stacks as the kernel's own unwinder found them. Cut where an address is none. */
export function readStacks(text: string, placing = samePlace): number[][] {
  return [...fields(text)].map((line) => {
    const addresses = line.map((address) => kernelAddress(address, placing));
    const end = addresses.indexOf(null);
    return (end < 0 ? addresses : addresses.slice(0, end)) as number[];
  });
}

/** A frame that the stack tracer saw. */
export interface TracedFrame {
  /** Bytes from the top of the stack down to its return address's slot. */
  readonly depth: number;
  /** Bytes from there up to its caller's. */
  readonly size: number;
  readonly name: string;
  /** Of the return address in the function. */
  readonly offset: number;
  readonly functionSize: number;
  readonly module: string | null;
}

const FRAME = /^\s*\d+\)\s+(\d+)\s+(\d+)\s+(\S+?)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?: \[(\w+)\])?/;

/**
 * Tables of /sys/kernel/tracing/stack_trace, one after the other: chains, innermost frame first. While a long table is read
 * the kernel may put another into its place (it holds its lock for a page of text at a time, kernel/trace/trace_stack.c):
 * where the depths do not follow from each other, a chain ends and the rest of another one begins.
 */
export function readStackTracer(text: string): TracedFrame[][] {
  const chains: TracedFrame[][] = [];
  let chain: TracedFrame[] | null = null;
  for (const line of text.split("\n")) {
    const match = FRAME.exec(line);
    if (match === null) {
      chain = null;
      continue;
    }
    const [, depth, size, name = "", offset = "", functionSize = "", module] = match;
    const frame: TracedFrame = {
      depth: Number(depth),
      size: Number(size),
      name,
      offset: Number.parseInt(offset, 16),
      functionSize: Number.parseInt(functionSize, 16),
      module: module ?? null,
    };
    const inner = chain?.at(-1);
    if (chain === null || inner === undefined || inner.depth - inner.size !== frame.depth) {
      chain = [];
      chains.push(chain);
    }
    chain.push(frame);
  }
  return chains;
}
