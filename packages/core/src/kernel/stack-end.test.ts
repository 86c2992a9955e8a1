import { expect, test } from "vitest";
import type { MemberLocation, TypeProvider } from "../types/type-provider.ts";
import type { Task } from "./kernel.ts";
import { FakeMemory } from "./memory.fixture.ts";
import { STACK_END_MAGIC, stackEndAt } from "./stack-end.ts";

const LOW = 0xffff888000000000n;
const stackOf = (n: number) => LOW + BigInt(n * 0x4000);

/** Tasks whose stacks have the word so many bytes above their low end; null for one whose word is gone. */
function kernelWith(places: readonly (number | null)[], known: Readonly<Record<string, number>> = {}) {
  const memory = new FakeMemory();
  memory.map(LOW, places.length * 0x4000 + 0x4000);
  for (const [n, at] of places.entries()) if (at !== null) memory.write64(stackOf(n) + BigInt(at), STACK_END_MAGIC);
  const types = {
    member: (struct: string, path: string) => (`${struct}.${path}` in known ? ({ offset: 0 } as MemberLocation) : null),
    sizeOf: (struct: string) => known[struct] ?? null,
  } as unknown as TypeProvider;
  return { memory, types, tasks: () => places.map((_, n) => ({ stack: stackOf(n) }) as Task) };
}

test.each<[string, readonly (number | null)[], Readonly<Record<string, number>>, number | null]>([
  ["thread_info inside task_struct", [], { "task_struct.thread_info": 0 }, 0],
  ["behind a thread_info of known size", [], { "task_struct.stack": 0, thread_info: 40 }, 40],
  ["where all tasks have it", [0, 0, 0, 0], {}, 0],
  ["where most have it", [40, null, 40, 40, 40], {}, 40],
  ["where too few have it", [40, 40], {}, null],
  ["where they do not agree", [8, 16, 24, 32], {}, null],
  ["in a kernel that has none", [null, null, null, null], {}, null],
])("%s", (_what, places, known, offset) => {
  const at = stackEndAt(kernelWith(places, known), stackOf(1));
  expect(at).toBe(offset === null ? null : stackOf(1) + BigInt(offset));
});
