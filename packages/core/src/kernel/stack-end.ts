/** Where a task's stack has its magic word, which whatever runs over the stack's end overwrites first. */
import type { Kernel } from "./kernel.ts";

/** include/uapi/linux/magic.h; set for every task since 2.6.27 (7c9f8861e6c9). */
export const STACK_END_MAGIC = 0x57ac6e9dn;

/** `struct thread_info`, where it lies below the stack, has 40 to 104 bytes. */
const MOST_THREAD_INFO = 256;
/** Tasks whose stacks are looked at; most of them have to agree. */
const SAMPLE = 32;
const FEWEST = 3;

type StackKernel = Pick<Kernel, "memory" | "types" | "tasks">;

const offsets = new WeakMap<StackKernel, number | null>();

/** The address of STACK_END_MAGIC on the task stack that begins at `low`; null where this kernel has none or its place is not known. */
export function stackEndAt(kernel: StackKernel, low: bigint): bigint | null {
  let offset = offsets.get(kernel);
  if (offset === undefined) {
    offset = endOffset(kernel);
    offsets.set(kernel, offset);
  }
  return offset === null ? null : low + BigInt(offset);
}

/**
 * Bytes between a stack's low end and the word: none with `thread_info` inside task_struct (since 4.9, 15f4eae70d36), else the
 * size of that struct, behind which the word lies. Told by types, or by where most tasks' stacks have it.
 */
function endOffset(kernel: StackKernel): number | null {
  const { types } = kernel;
  if (types.member("task_struct", "thread_info") !== null) return 0;
  const below = types.sizeOf("thread_info");
  if (types.member("task_struct", "stack") !== null && below !== null) return below;
  const found = new Map<number, number>();
  let looked = 0;
  for (const { stack } of kernel.tasks()) {
    const bytes = stack === null ? null : kernel.memory.read(stack, MOST_THREAD_INFO);
    if (bytes === null) continue;
    if (looked++ === SAMPLE) break;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < MOST_THREAD_INFO; at += 8) {
      if (view.getBigUint64(at, true) !== STACK_END_MAGIC) continue;
      found.set(at, (found.get(at) ?? 0) + 1);
      break;
    }
  }
  const [best] = [...found].sort((a, b) => b[1] - a[1]);
  return best !== undefined && best[1] >= FEWEST && best[1] * 2 > looked ? best[0] : null;
}
