/**
 * Calls in code that no symbol tells of: a module whose symbol table is lost, or was never kept. Where its functions begin is
 * not known, but what precedes a return address is.
 */
import { isIndirectThunk } from "../code/call-site.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** Can the bytes before `returnAddress` be a call that enters `callee`? "no" also where they are no call. */
export function unnamedCallReaches(
  context: UnwindContext,
  returnAddress: bigint,
  callee: FunctionRange | null,
): "direct" | "indirect" | "no" {
  const bytes = context.kernel.memory.read(returnAddress - 7n, 7);
  if (bytes === null) return "no";
  // e8 rel32
  if (bytes[2] === 0xe8) {
    const relative = new DataView(bytes.buffer, bytes.byteOffset + 3, 4).getInt32(0, true);
    const target = returnAddress + BigInt(relative);
    if (callee !== null && target >= callee.start && target < callee.end) return "direct";
    if (isIndirectThunk(context.reader, target)) return "indirect";
    // A call to code without symbols, too, or to a trampoline.
    if (context.kernel.symbols.isText(target) && context.functionAt(target) === null && callee === null)
      return "indirect";
  }
  return endsInIndirectCall(bytes) ? "indirect" : "no";
}

/** ff /2 by its ModRM byte: a register, or memory with a displacement of 0, 8 or 32 bits. */
function endsInIndirectCall(bytes: Uint8Array): boolean {
  const call = (back: number, mod: number) => {
    const opcode = bytes[bytes.length - back];
    const modrm = bytes[bytes.length - back + 1] ?? 0;
    return opcode === 0xff && ((modrm >> 3) & 7) === 2 && modrm >> 6 === mod;
  };
  return call(2, 3) || call(2, 0) || call(3, 1) || call(6, 2) || call(6, 0) || call(7, 0);
}
