/**
 * Who wrote over the low end of a task's stack: code in the call chain that takes task_struct.stack, the stack's low end,
 * and stores there. Hardly anything but the kernel's own stack handling has reason to.
 */
import { ARGUMENTS, followValues, type Registers, storedThrough, type Value } from "../code/value-flow.ts";
import { hex } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";
import { storesThroughArgument } from "./foreign-writer.ts";

export interface StackEndWriter {
  readonly function: string;
  readonly module: string | null;
}

/** The per-CPU variable that holds the current task: `current_task`, in struct pcpu_hot from 6.2 to 6.14. */
function currentTask(facts: CrashFacts): bigint | null {
  const { symbols, types } = facts.kernel;
  const own = symbols.byName("current_task", null)?.address;
  if (own !== undefined) return own;
  const hot = symbols.byName("pcpu_hot", null)?.address;
  return hot === undefined ? null : hot + BigInt(types.member("pcpu_hot", "current_task")?.offset ?? 0);
}

/** Goes inwards through the live frames, with what each caller is seen to pass on. */
export function findStackEndWriter(facts: CrashFacts): StackEndWriter | null {
  const { kernel, context, frames, evidence } = facts;
  const member = kernel.types.member("task_struct", "stack");
  if (member === null) return null;
  const current = currentTask(facts);
  const isStackLow = (value: Value | null | undefined): boolean =>
    value?.kind === "field" && value.of.kind === "task" && value.offset === BigInt(member.offset);
  let entry: Registers = new Map();
  for (let index = frames.length - 1; index >= 0; index--) {
    const frame = frames[index]!;
    const code = context.reader.functionAt(frame.interrupted ? frame.address : frame.address - 1n);
    if (code === null) {
      entry = new Map();
      continue;
    }
    let passed: Registers = new Map();
    let writer: { at: bigint; in: string; module: string | null } | null = null;
    followValues(code, { entry, currentTask: current }, (instruction, registers) => {
      if (instruction.address + BigInt(instruction.length) === frame.address) {
        passed = new Map(ARGUMENTS.flatMap((name) => (registers.has(name) ? [[name, registers.get(name)!]] : [])));
      }
      if (writer !== null) return;
      if (isStackLow(storedThrough(instruction, registers))) {
        writer = { at: instruction.address, in: code.range.name, module: code.range.module };
      } else if (instruction.flow === "call" && instruction.target !== null) {
        const argument = ARGUMENTS.findIndex((name) => isStackLow(registers.get(name)));
        const stores = argument < 0 ? null : storesThroughArgument(facts, instruction.target, argument);
        if (stores !== null) {
          const callee = kernel.symbols.functionAt(instruction.target);
          writer = { at: stores.address, in: stores.in, module: callee?.module ?? null };
          evidence.add(
            "stack-low-passed",
            instruction.address,
            `${code.range.name} passes the low end of the task's stack (task_struct.stack) to ${stores.in} at ${hex(instruction.address)}.`,
          );
        }
      }
    });
    const found = writer as { at: bigint; in: string; module: string | null } | null;
    if (found !== null) {
      evidence.add("stack-low-stored", found.at, `${found.in} stores to it at ${hex(found.at)}.`);
      return { function: found.in, module: found.module };
    }
    entry = frame.interrupted ? new Map() : passed;
  }
  return null;
}
