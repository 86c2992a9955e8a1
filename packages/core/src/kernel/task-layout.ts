import { type KernelContext, kernelSymbol } from "./context.ts";
import { switchOffsets } from "./switch-to.ts";

/** Byte offsets into `struct task_struct`; null where this kernel has no such member or nothing tells where it is. */
export interface TaskLayout {
  readonly pid: number;
  readonly tgid: number;
  readonly comm: number;
  readonly stack: number;
  /** Link in the list of all processes that starts at init_task. */
  readonly tasks: number | null;
  readonly state: number | null;
  /** 4 bytes since 5.14, when `state` became `__state` (2f064a59a11f); 8 before. */
  readonly stateSize: number;
  readonly exitState: number | null;
  readonly flags: number | null;
  readonly cpu: number | null;
  readonly parent: number | null;
  readonly mm: number | null;
  readonly canary: number | null;
  readonly threadSp: number | null;
  readonly signal: number | null;
  /** Link in `signal->thread_head`. */
  readonly threadNode: number | null;
  /** `struct signal_struct`'s list head of threads. */
  readonly threadHead: number | null;
  /** How the layout was told, for reports. */
  readonly source: "types" | "content";
}

/** The layout by type information, else from what init_task and `__switch_to_asm` show. Null where neither suffices. */
export function taskLayout(context: KernelContext): TaskLayout | null {
  return layoutFromTypes(context) ?? layoutFromContent(context);
}

export function layoutFromTypes(context: KernelContext): TaskLayout | null {
  const { types } = context;
  const at = (member: string): number | null => types.member("task_struct", member)?.offset ?? null;
  const pid = at("pid");
  const tgid = at("tgid");
  const comm = at("comm");
  const stack = at("stack");
  if (pid === null || tgid === null || comm === null || stack === null) return null;
  const state = types.member("task_struct", "__state") ?? types.member("task_struct", "state");
  return {
    pid,
    tgid,
    comm,
    stack,
    tasks: at("tasks"),
    state: state?.offset ?? null,
    stateSize: state?.size ?? 8,
    exitState: at("exit_state"),
    flags: at("flags"),
    // In thread_info again since 5.16 (bcf9033e5449); a member of its own from 4.9 (thread_info inside the task) to 5.15.
    cpu: at("thread_info.cpu") ?? at("cpu"),
    parent: at("parent"),
    mm: at("mm"),
    canary: at("stack_canary"),
    threadSp: at("thread.sp"),
    signal: at("signal"),
    threadNode: at("thread_node"),
    threadHead: types.member("signal_struct", "thread_head")?.offset ?? null,
    source: "types",
  };
}

/** task_struct is 9 to 14 KB; what is looked for lies in the first 8. */
const SEARCHED = 8192;
/** include/uapi/linux/magic.h; the lowest word of every task's stack but init_task's. */
const STACK_END_MAGIC = 0x57ac6e9dn;

/**
 * Without types: `stack` of init_task is known (symbol `init_stack`), its name is "swapper", the canary and the saved SP
 * stand in the code of the task switch, `pid` and `tgid` lie right before the canary, and `state` right before `stack`
 * (with THREAD_INFO_IN_TASK, since 4.9). `tasks` is the list head that leads to another task with a name and a stack.
 */
export function layoutFromContent(context: KernelContext): TaskLayout | null {
  const initTask = kernelSymbol(context, "init_task");
  const initStack = kernelSymbol(context, "init_stack") ?? kernelSymbol(context, "init_thread_union");
  const code = switchOffsets(context);
  if (initTask === null || initStack === null || code === null || code.canary === null) return null;
  const bytes = context.memory.read(initTask, SEARCHED);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let stack: number | null = null;
  for (let at = 8; at < 512 && stack === null; at += 8) if (view.getBigUint64(at, true) === initStack) stack = at;
  const comm = findText(bytes, "swapper");
  if (stack === null || comm === null) return null;
  let tasks: number | null = null;
  for (let at = stack + 8; at + 16 <= comm && tasks === null; at += 8) {
    const next = view.getBigUint64(at, true);
    if (next === initTask + BigInt(at) || context.memory.u64(next + 8n) !== initTask + BigInt(at)) continue;
    const other = next - BigInt(at);
    const otherStack = context.memory.u64(other + BigInt(stack));
    if (otherStack === null || context.memory.u64(otherStack) !== STACK_END_MAGIC) continue;
    const tgid = context.memory.i32(other + BigInt(code.canary - 4));
    // The list of processes leads from init_task to pid 1; lists of children or siblings do not start so.
    if (tgid === 1 && context.memory.i32(other + BigInt(code.canary - 8)) === 1) tasks = at;
  }
  context.problem(
    "without type information the layout of tasks was found by content; threads and some fields are unknown",
  );
  return {
    pid: code.canary - 8,
    tgid: code.canary - 4,
    comm,
    stack,
    tasks,
    state: stack - 8,
    stateSize: 4,
    exitState: null,
    flags: null,
    cpu: null,
    parent: null,
    mm: null,
    canary: code.canary,
    threadSp: code.threadSp,
    signal: null,
    threadNode: null,
    threadHead: null,
    source: "content",
  };
}

function findText(bytes: Uint8Array, text: string): number | null {
  for (let at = 0; at + 16 <= bytes.length; at += 8) {
    let same = true;
    for (let i = 0; i < text.length && same; i++) same = bytes[at + i] === text.charCodeAt(i);
    if (same) return at;
  }
  return null;
}
