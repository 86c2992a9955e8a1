/**
 * Who wrote over the low end of a task's stack: code in the call chain that takes task_struct.stack, the stack's low end,
 * and stores there. Hardly anything but the kernel's own stack handling has reason to.
 */
import { followPointer, type PointerUse } from "../code/pointer-flow.ts";
import { hex } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";

/** Functions of the chain that are followed, those of modules first. */
const MOST_FUNCTIONS = 32;

export function findStackEndWriter(facts: CrashFacts): { function: string; module: string | null } | null {
  const { kernel, context, frames, evidence, task, cpu } = facts;
  const member = kernel.types.member("task_struct", "stack");
  if (member === null || task === null) return null;
  const holder = task.address + BigInt(member.offset);
  // `current` in the code is this task only on the CPU that it ran on.
  const perCpu = cpu === null ? {} : { perCpuOffset: cpu.perCpuOffset };
  const chain = [
    ...frames.filter((frame) => frame.module !== null),
    ...frames.filter((frame) => frame.module === null),
  ];
  const starts = new Set(chain.flatMap((frame) => (frame.start === null ? [] : [frame.start])));
  let use: PointerUse | null = null;
  let from: bigint | null = null;
  for (const start of [...starts].slice(0, MOST_FUNCTIONS)) {
    use = followPointer(context.reader, start, { holder, ...perCpu });
    from = start;
    if (use?.kind === "stores") break;
  }
  if (use?.kind !== "stores" || from === null) return null;
  const writer = use.path.findLast((range) => range.module !== null) ?? use.path.at(-1)!;
  const { name, module } = writer;
  if (writer.start !== from) {
    const caller = use.path[0]!.name;
    evidence.add(
      "stack-low-passed",
      from,
      `${caller}, in the call chain, leads to ${name} with the low end of the task's stack (task_struct.stack).`,
    );
  }
  const storer = use.path.at(-1)!;
  const called = storer === writer ? "" : `, called by ${name},`;
  evidence.add(
    "stack-low-stored",
    use.at,
    `${storer.name}${called} stores to the low end of the task's stack at ${hex(use.at)}.`,
  );
  return { function: name, module };
}
