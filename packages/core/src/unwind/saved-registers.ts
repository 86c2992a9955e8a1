/**
 * Out of the kernel's entry code where no unwind data describe it: what an interrupt, an exception or a system call saved is
 * told by its look. The CPU itself pushes SS, RSP, RFLAGS, CS and RIP, and the segments have fixed values; entry code has
 * pushed the rest of `struct pt_regs` below them in every kernel since 2.6.24.
 */
import { isUserMode, PT_REGS_SIZE, type PtRegs, readPtRegs } from "./pt-regs.ts";
import type { Step, WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** __KERNEL_CS and __KERNEL_DS; with their privilege level of 1 under Xen PV. arch/x86/include/asm/segment.h */
const KERNEL_CS: readonly bigint[] = [0x10n, 0xe030n];
const KERNEL_SS: readonly bigint[] = [0x18n, 0xe02bn, 0n];
/** Flags that are always 0 on x86_64: bits 3, 5 and 15, and all from 22 on. Bit 1 is always 1. */
const NO_FLAGS = ~0x3f_7fd7n;
/** What entry code may have below the saved registers: return addresses of its helpers, an error code, a saved pointer. */
const MAX_WORDS_BELOW = 16;
/** How far below the stack's top the registers of user mode may end, at the most: padding (6.9 with FRED: 16 bytes). */
const MAX_PADDING = 16n;

/** The step out of entry code; null where `state` is not in it, or nothing there looks like saved registers. */
export function stepOutOfEntry(context: UnwindContext, state: WalkState): Step | null {
  if (!isEntryText(context, state.exact ? state.pc : state.pc - 1n)) return null;
  const stack = context.stackAt(state.sp);
  // Fast system calls of 3.x leave out the registers that a callee keeps.
  const isLast = stack?.kind === "task" && stack.high - state.sp <= BigInt(PT_REGS_SIZE) + MAX_PADDING;
  return isLast ? endAtTop(context, state.sp) : savedNear(context, state.sp);
}

/** Assembler entry points, `.entry.text`, in a section of their own since 2.6.39 (ea7145477a46). */
function isEntryText(context: UnwindContext, address: bigint): boolean {
  const { symbols } = context.kernel;
  const start = symbols.byName("__entry_text_start", null)?.address;
  const end = symbols.byName("__entry_text_end", null)?.address;
  return start !== undefined && end !== undefined && address >= start && address < end;
}

/** The end of the stack, where RSP has come to its top: the registers of user mode, if it has any. */
export function endAtTop(context: UnwindContext, sp: bigint): Step {
  const top = context.stackAt(sp)?.high ?? sp;
  for (let padding = 0n; padding <= MAX_PADDING; padding += 16n) {
    const at = top - BigInt(PT_REGS_SIZE) - padding;
    const regs = readPtRegs(context.kernel.memory, at);
    if (regs !== null && isUserFrame(regs)) return { kind: "end", userRegs: at };
  }
  // Fast system calls of 3.x leave the segments out, too; kernel threads and idle tasks have all of it blank.
  return { kind: "end", userRegs: null };
}

/** Registers at RSP or some words above, or where the word at RSP points: it leads back from the interrupt stack. */
function savedNear(context: UnwindContext, sp: bigint): Step | null {
  const { memory } = context.kernel;
  const pointer = memory.u64(sp);
  const places = [sp];
  if (pointer !== null && context.stackAt(pointer) !== null) places.push(pointer);
  for (let word = 1; word <= MAX_WORDS_BELOW; word++) places.push(sp + BigInt(word * 8));
  for (const at of places) {
    const regs = readPtRegs(memory, at);
    if (regs === null) continue;
    if (isUserFrame(regs)) return { kind: "end", userRegs: at };
    if (isKernelFrame(regs)) {
      return { kind: "regs", cfa: at, regsAt: at, regs, full: true };
    }
  }
  return null;
}

function isUserFrame(regs: PtRegs): boolean {
  const [ss, rip] = [regs.get("ss")!, regs.get("rip")!];
  return (
    isUserMode(regs) && regs.get("cs")! < 0x100n && (ss & 3n) === 3n && ss < 0x100n && hasFlags(regs) && rip < 1n << 56n
  );
}

function isKernelFrame(regs: PtRegs): boolean {
  const inKernel = KERNEL_CS.includes(regs.get("cs")! & ~1n) && KERNEL_SS.includes(regs.get("ss")!);
  return inKernel && hasFlags(regs) && regs.get("rsp")! >> 56n === 0xffn;
}

function hasFlags(regs: PtRegs): boolean {
  const flags = regs.get("rflags")!;
  return (flags & 2n) !== 0n && (flags & NO_FLAGS) === 0n;
}
