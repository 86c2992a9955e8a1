import type { KernelContext } from "./context.ts";
import { layoutFromContent } from "./task-content.ts";

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
