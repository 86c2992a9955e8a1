/**
 * `struct task_struct` without type information: where its members are, told by what tasks that are known hold there, and by
 * the code of the task switch.
 */
import { isKernelAddress, type KernelContext, kernelSymbol } from "./context.ts";
import { switchOffsets } from "./switch-to.ts";
import type { TaskLayout } from "./task-layout.ts";

/** task_struct is 1.5 to 14 KB; what is looked for lies in the first 8. */
const SEARCHED = 8192;
/** Tasks of the list that are compared. */
const SAMPLE = 24;
/** An offset that so many tasks agree on is no chance. */
const ENOUGH = 4;
const THREAD_SIZES = 0x10000n;

/** What is known of one task before its layout is. */
interface Sample {
  readonly address: bigint;
  readonly view: DataView;
}

/**
 * The layout by content; null where it cannot be told.
 *
 * `stack` of init_task is known by a symbol, its name is "swapper", and `state` lies right before `stack` (since 2.6.22).
 * `tasks` is the list head that leads to another task with a name and a stack. `pid` and `tgid` are two equal numbers that
 * count 1, 2, … along that list, and the canary follows them. Where RSP is kept stands in the code of `__switch_to_asm` (4.9
 * on); before, it is the word that points into the task's own stack in every task that does not run.
 */
export function layoutFromContent(context: KernelContext): TaskLayout | null {
  const initTask = kernelSymbol(context, "init_task");
  const initStack = kernelSymbol(context, "init_stack") ?? kernelSymbol(context, "init_thread_union");
  if (initTask === null || initStack === null) return null;
  const init = sampleOf(context, initTask);
  if (init === null) return null;
  const stack = findWord(init.view, initStack, 8, 512);
  const comm = findText(init.view, "swapper");
  if (stack === null || comm === null) return null;
  const code = switchOffsets(context);
  const list = findList(context, init, stack, comm);
  const ids = code?.canary != null ? code.canary - 8 : findIds(init, list?.samples ?? []);
  if (ids === null) return null;
  const canary = code !== null ? code.canary : findCanary(list?.samples ?? [], ids + 8);
  context.problem(
    "without type information the layout of tasks was found by content; threads and some fields are unknown",
  );
  return {
    pid: ids,
    tgid: ids + 4,
    comm,
    stack,
    tasks: list?.offset ?? null,
    state: stack - 8,
    stateSize: 4,
    exitState: null,
    flags: null,
    cpu: null,
    parent: null,
    mm: list === null ? null : findMm(list.samples, list.offset + 16),
    canary,
    threadSp: code?.threadSp ?? findSavedSp(list?.samples ?? [], stack),
    signal: null,
    threadNode: null,
    threadHead: null,
    source: "content",
  };
}

function sampleOf(context: KernelContext, address: bigint): Sample | null {
  // The end of a task may share its page with nothing that is in the dump.
  const { bytes, faults } = context.memory.readSparse(address, SEARCHED);
  if (faults[0] !== undefined && faults[0].virtual < address + 1024n) return null;
  return { address, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function findWord(view: DataView, value: bigint, from: number, to: number): number | null {
  for (let at = from; at < to; at += 8) if (view.getBigUint64(at, true) === value) return at;
  return null;
}

function findText(view: DataView, text: string): number | null {
  for (let at = 0; at + 16 <= view.byteLength; at += 8) if (startsWith(view, at, text)) return at;
  return null;
}

function startsWith(view: DataView, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (view.getUint8(at + i) !== text.charCodeAt(i)) return false;
  return true;
}

/** The list head between `stack` and `comm` along which most tasks are found. */
function findList(
  context: KernelContext,
  init: Sample,
  stack: number,
  comm: number,
): { readonly offset: number; readonly samples: readonly Sample[] } | null {
  let best: { offset: number; samples: readonly Sample[] } | null = null;
  for (let offset = stack + 8; offset + 16 <= comm; offset += 8) {
    const samples = samplesAlong(context, init, offset, (task) => looksLikeTask(task, stack, comm));
    // The same tasks are on other lists, in another order: the one of all processes comes first.
    if (samples.length > (best?.samples.length ?? 0)) best = { offset, samples };
  }
  return best;
}

function samplesAlong(
  context: KernelContext,
  init: Sample,
  offset: number,
  accept: (task: Sample) => boolean,
): readonly Sample[] {
  const head = init.address + BigInt(offset);
  const samples: Sample[] = [];
  let link = init.view.getBigUint64(offset, true);
  let previous = head;
  while (link !== head && isKernelAddress(link) && (link & 7n) === 0n && samples.length < SAMPLE) {
    if (context.memory.u64(link + 8n) !== previous) break;
    const task = sampleOf(context, link - BigInt(offset));
    if (task === null || !accept(task)) break;
    samples.push(task);
    previous = link;
    link = task.view.getBigUint64(offset, true);
  }
  return samples;
}

/** A stack that begins a page, and a printable name. */
function looksLikeTask({ view }: Sample, stack: number, comm: number): boolean {
  const low = view.getBigUint64(stack, true);
  const first = view.getUint8(comm);
  return isKernelAddress(low) && (low & 0xfffn) === 0n && first > 0x20 && first < 0x7f;
}

/** `pid`, with `tgid` behind it: 0 in init_task, then 1, 2 and so on, always two equal numbers. */
function findIds(init: Sample, tasks: readonly Sample[]): number | null {
  const [first, second] = tasks;
  if (first === undefined || second === undefined) return null;
  const ids = ({ view }: Sample, at: number) => {
    const pid = view.getInt32(at, true);
    return view.getInt32(at + 4, true) === pid ? pid : -1;
  };
  for (let at = 8; at + 8 <= SEARCHED; at += 4) {
    if (ids(init, at) !== 0 || ids(first, at) !== 1 || ids(second, at) !== 2) continue;
    let last = 2;
    const ascending = tasks.slice(2).every((task) => {
      const grows = ids(task, at) > last;
      last = ids(task, at);
      return grows;
    });
    if (ascending) return at;
  }
  return null;
}

/** `stack_canary` follows `tgid` where the kernel has the stack protector: another value in each task; 32 bits up to 4.7. */
function findCanary(tasks: readonly Sample[], after: number): number | null {
  const at = Math.ceil(after / 8) * 8;
  const values = tasks.map(({ view }) => view.getBigUint64(at, true));
  const random = values.every((value) => value >> 16n !== 0n && !isKernelAddress(value));
  return values.length >= ENOUGH && random && new Set(values).size === values.length ? at : null;
}

/** `mm`, with `active_mm` behind it: the same for the first process, while kernel threads have none of their own. */
function findMm(tasks: readonly Sample[], after: number): number | null {
  const [first, kthreadd] = tasks;
  if (first === undefined || kthreadd === undefined) return null;
  for (let at = after; at < after + 512 && at + 16 <= SEARCHED; at += 8) {
    const mm = first.view.getBigUint64(at, true);
    if (!isKernelAddress(mm) || first.view.getBigUint64(at + 8, true) !== mm) continue;
    if (kthreadd.view.getBigUint64(at, true) === 0n) return at;
  }
  return null;
}

/** `thread.sp`: the only word that lies inside the task's own stack in every task but those that run. */
function findSavedSp(tasks: readonly Sample[], stack: number): number | null {
  let best: { at: number; count: number } | null = null;
  for (let at = 8; at + 8 <= SEARCHED; at += 8) {
    let count = 0;
    for (const { view } of tasks) {
      const low = view.getBigUint64(stack, true);
      const value = view.getBigUint64(at, true);
      if (value > low && value < low + THREAD_SIZES && (value & 7n) === 0n && (value & 0xfffn) !== 0n) count++;
    }
    if (count >= ENOUGH && count > (best?.count ?? 0)) best = { at, count };
  }
  return best?.at ?? null;
}
