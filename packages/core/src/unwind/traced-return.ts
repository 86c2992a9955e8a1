/**
 * Return addresses that a tracer replaced: the function-graph tracer and return probes put the address of their own handler
 * on the stack and keep the true one aside.
 */
import type { UnwindContext } from "./unwind-context.ts";

/** Handlers by which functions return to a tracer instead of to their caller (x86_64; rethook since 5.18, 54ecbe6f1ed5). */
const GRAPH_HANDLER = "return_to_handler";
const PROBE_HANDLERS = ["arch_rethook_trampoline", "__kretprobe_trampoline", "kretprobe_trampoline"];

/** The graph tracer's shadow stack is one page since 6.10 and 50 entries before; both fit. Bytes. */
const SHADOW_STACK_BYTES = 4096;
const MAX_PROBES = 256;

/** The return address that stood at `slot` before a tracer put `found` there; null where no tracer did. */
export function tracedReturn(context: UnwindContext, slot: bigint, found: bigint): bigint | null {
  const { symbols } = context.kernel;
  const handler = symbols.byAddress(found);
  if (handler === null || handler.offset !== 0) return null;
  const task = taskOn(context, slot);
  if (task === null) return null;
  if (handler.symbol.name === GRAPH_HANDLER) return fromShadowStack(context, task, slot);
  return PROBE_HANDLERS.includes(handler.symbol.name) ? fromReturnProbes(context, task, slot) : null;
}

/** Whose stack a slot is on; whoever was interrupted keeps the book for interrupts on stacks of their own. */
function taskOn(context: UnwindContext, slot: bigint): bigint | null {
  const stack = context.stackAt(slot);
  if (stack === null || stack.task !== null || stack.cpu === null) return stack?.task ?? null;
  return context.kernel.cpus.find(({ number }) => number === stack.cpu)?.currentTask ?? null;
}

/**
 * The entries' layout changed with 6.10 from an array to a stack of words, but an entry always notes the slot whose content
 * it keeps (`retp`), so it is found by that.
 */
function fromShadowStack(context: UnwindContext, task: bigint, slot: bigint): bigint | null {
  const { memory, types } = context.kernel;
  const pointer = types.member("task_struct", "ret_stack");
  const kept = types.member("ftrace_ret_stack", "ret");
  const where = types.member("ftrace_ret_stack", "retp");
  if (pointer === null || kept === null || where === null) return null;
  const base = memory.u64(task + BigInt(pointer.offset));
  if (base === null || base === 0n) return null;
  for (let offset = 0; offset < SHADOW_STACK_BYTES; offset += 8) {
    const word = memory.u64(base + BigInt(offset));
    if (word === null) return null;
    if (word === slot) return memory.u64(base + BigInt(offset - where.offset + kept.offset));
  }
  return null;
}

/** `task_struct.rethooks` lists the return probes in force, newest first; `frame` is the slot. */
function fromReturnProbes(context: UnwindContext, task: bigint, slot: bigint): bigint | null {
  const { memory, types } = context.kernel;
  const list = types.member("task_struct", "rethooks");
  const node = types.member("rethook_node", "llist");
  const frame = types.member("rethook_node", "frame");
  const kept = types.member("rethook_node", "ret_addr");
  if (list === null || node === null || frame === null || kept === null) return null;
  let next = memory.u64(task + BigInt(list.offset));
  for (let count = 0; next !== null && next !== 0n && count < MAX_PROBES; count++) {
    const probe: bigint = next - BigInt(node.offset);
    if (memory.u64(probe + BigInt(frame.offset)) === slot) return memory.u64(probe + BigInt(kept.offset));
    next = memory.u64(next);
  }
  return null;
}
