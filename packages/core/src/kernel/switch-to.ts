import { type KernelContext, kernelSymbol } from "./context.ts";

export interface SwitchOffsets {
  /** `task_struct.thread.sp` (TASK_threadsp), bytes. */
  readonly threadSp: number;
  /** `task_struct.stack_canary` (TASK_stack_canary), bytes; null where the kernel has no stack protector. */
  readonly canary: number | null;
}

/**
 * Offsets into `task_struct` that need no type information: `__switch_to_asm` (arch/x86/entry/entry_64.S, since 4.9) saves
 * RSP into the task in RDI, loads it from the task in RSI, and then loads the canary of the task in RSI:
 *   48 89 a7 disp32   mov %rsp, TASK_threadsp(%rdi)
 *   48 8b a6 disp32   mov TASK_threadsp(%rsi), %rsp
 *   48 8b 9e disp32   mov TASK_stack_canary(%rsi), %rbx
 * It is assembler, so no compiler chooses other encodings. Null where the code cannot be read or looks different.
 */
export function switchOffsets(context: KernelContext): SwitchOffsets | null {
  const address = kernelSymbol(context, "__switch_to_asm");
  const code = address === null ? null : context.memory.read(address, 64);
  return code === null ? null : switchOffsetsFrom(code);
}

/** The same from the function's first bytes. */
export function switchOffsetsFrom(code: Uint8Array): SwitchOffsets | null {
  const save = operand(code, 0, [0x48, 0x89, 0xa7]);
  if (save === null) return null;
  const load = operand(code, save.end, [0x48, 0x8b, 0xa6]);
  if (load === null || load.displacement !== save.displacement) return null;
  const canary = operand(code, load.end, [0x48, 0x8b, 0x9e]);
  return { threadSp: save.displacement, canary: canary?.displacement ?? null };
}

function operand(
  code: Uint8Array,
  from: number,
  opcode: readonly number[],
): { displacement: number; end: number } | null {
  for (let at = from; at + 7 <= code.length; at++) {
    if (!opcode.every((byte, i) => code[at + i] === byte)) continue;
    const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
    const displacement = view.getInt32(at + 3, true);
    if (displacement > 0 && displacement < 65536) return { displacement, end: at + 7 };
  }
  return null;
}
