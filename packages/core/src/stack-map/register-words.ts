/** The fields of a struct pt_regs on a stack. */
import { PT_REGS_FIELDS } from "../unwind/pt-regs.ts";
import type { RegistersPiece } from "./frame-extents.ts";
import { frameLabel } from "./map-context.ts";
import type { KnownWord } from "./stack-contents.ts";

const MEANINGS: Readonly<Record<string, string>> = {
  rip: "where it stood",
  rsp: "its stack pointer",
  orig_rax: "system call number, or error code",
};

export function registerWords(piece: RegistersPiece): Map<bigint, KnownWord> {
  const known = new Map<bigint, KnownWord>();
  const names = piece.whole ? PT_REGS_FIELDS : PT_REGS_FIELDS.slice(PT_REGS_FIELDS.indexOf("rip"));
  names.forEach((name, index) => {
    const meaning = name === "rip" && piece.of !== null ? frameLabel(piece.of) : MEANINGS[name];
    known.set(piece.start + BigInt(index * 8), {
      kind: "register",
      label: meaning === undefined ? name.toUpperCase() : `${name.toUpperCase()}: ${meaning}`,
      why: null,
      state: null,
      expected: null,
      code: [],
    });
  });
  return known;
}
