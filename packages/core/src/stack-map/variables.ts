/** The variables of a frame that lie on the stack, with their bounds, where debug information tells them. */
import type { FrameState } from "../debuginfo/debug-info.ts";
import { formatTypeName } from "../types/format-c.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { FramePiece } from "./frame-extents.ts";
import { hex, type MapContext } from "./map-context.ts";
import type { MappedVariable } from "./stack-map.ts";

/** DWARF's numbers of x86_64 registers (psABI, figure 3.36). */
const DWARF_NUMBERS: Readonly<Record<string, number>> = {
  rax: 0,
  rdx: 1,
  rcx: 2,
  rbx: 3,
  rsi: 4,
  rdi: 5,
  rbp: 6,
  rsp: 7,
  r8: 8,
  r9: 9,
  r10: 10,
  r11: 11,
  r12: 12,
  r13: 13,
  r14: 14,
  r15: 15,
};

/** No function of the kernel has more that matter; ends damaged debug information. */
const MAX_VARIABLES = 256;

function stateOf(frame: Frame): FrameState {
  const registers = new Map<number, bigint>();
  for (const [name, value] of frame.registers) {
    const number = DWARF_NUMBERS[name];
    if (number !== undefined) registers.set(number, value);
  }
  registers.set(DWARF_NUMBERS.rsp!, frame.sp);
  return { pc: frame.address, afterCall: !frame.interrupted, sp: frame.sp, cfa: frame.cfa, registers };
}

export function variablesOf(context: MapContext, piece: FramePiece): MappedVariable[] {
  const { frame } = piece;
  if (context.debugInfo === null || piece.continued) return [];
  const caller = piece.caller === null ? null : stateOf(piece.caller);
  const state: FrameState = { ...stateOf(frame), caller };
  const mapped: MappedVariable[] = [];
  for (const variable of context.debugInfo.variablesAt(state).slice(0, MAX_VARIABLES)) {
    const { place, size } = variable;
    if (place.kind !== "memory" || size === null || size <= 0) continue;
    const end = place.address + BigInt(size);
    if (place.address < piece.start || end > piece.end) continue;
    const type = formatTypeName(variable.type);
    mapped.push({ name: variable.name, type, function: variable.function, start: hex(place.address), end: hex(end) });
  }
  return mapped.sort((a, b) => (BigInt(a.start) < BigInt(b.start) ? -1 : 1));
}
