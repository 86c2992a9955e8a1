import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import { CfiBuilder, GCC_START, sectionOf, u16, u32, u64, uleb } from "./cfi.fixture.ts";
import type { CfiRow } from "./cfi.ts";
import { CfiHeader } from "./cfi-header.ts";
import { CfiSectionTable } from "./cfi-table.ts";

const START = 0xffffffff81000000n;
const PC = signedAddress(START);
const SIZE = 0x100n;
const RANGE = [...u64(START), ...u64(SIZE)];

/** The row in one line: the CFA, then the registers' rules in ascending order. */
function inWords(row: CfiRow | null): string | null {
  if (row === null) return null;
  const { cfa } = row;
  const words = [cfa.kind === "register" ? `cfa=r${cfa.register}+${cfa.offset}` : `cfa=expression(${cfa.expression})`];
  for (const [register, rule] of [...row.registers].sort((a, b) => a[0] - b[0])) {
    const value =
      "offset" in rule
        ? rule.offset
        : "register" in rule
          ? `r${rule.register}`
          : "expression" in rule
            ? rule.expression
            : "";
    words.push(`r${register}:${rule.kind}${value === "" ? "" : `(${value})`}`);
  }
  return words.join(" ") + (row.signal ? " signal" : "");
}

function rowOf(instructions: readonly number[], offset: number): string | null {
  const builder = new CfiBuilder("debug_frame");
  builder.fde(builder.cie(), RANGE, instructions);
  const table = new CfiSectionTable({ kind: "debug_frame", section: builder.section(), address: 0 });
  return inWords(table.find(PC + offset));
}

describe("instructions", () => {
  // push %rbp at 0, mov %rsp,%rbp at 1, …, leave at 0x20, ret at 0x21: what GCC says of it.
  const FUNCTION = [0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x02, 0x1d, 0x0c, 7, 8, 0xc6];
  it.each([
    [0x00, "cfa=r7+8 r16:offset(-8)"],
    [0x01, "cfa=r7+16 r6:offset(-16) r16:offset(-8)"],
    [0x03, "cfa=r7+16 r6:offset(-16) r16:offset(-8)"],
    [0x04, "cfa=r6+16 r6:offset(-16) r16:offset(-8)"],
    [0x20, "cfa=r6+16 r6:offset(-16) r16:offset(-8)"],
    [0x21, "cfa=r7+8 r16:offset(-8)"],
    [0xff, "cfa=r7+8 r16:offset(-8)"],
    [0x100, null],
    [-1, null],
  ])("prologue and epilogue, at %i", (offset, row) => {
    expect(rowOf(FUNCTION, offset)).toBe(row);
  });

  const RA = "r16:offset(-8)";
  it.each<[string, readonly number[], string]>([
    ["advance_loc1", [0x02, 1, 0x0e, 24], `cfa=r7+24 ${RA}`],
    ["advance_loc2", [0x03, ...u16(1), 0x0e, 24], `cfa=r7+24 ${RA}`],
    ["advance_loc4", [0x04, ...u32(1), 0x0e, 24], `cfa=r7+24 ${RA}`],
    ["advance_loc8", [0x1d, ...u64(1n), 0x0e, 24], `cfa=r7+24 ${RA}`],
    ["set_loc", [0x01, ...u64(START + 1n), 0x0e, 24], `cfa=r7+24 ${RA}`],
    ["an address not reached yet", [0x02, 2, 0x0e, 24], `cfa=r7+8 ${RA}`],
    ["offset_extended", [0x05, 3, 4], `cfa=r7+8 r3:offset(-32) ${RA}`],
    ["offset_extended_sf", [0x11, 3, 0x7c], `cfa=r7+8 r3:offset(32) ${RA}`],
    ["GNU_negative_offset_extended", [0x2f, 3, 4], `cfa=r7+8 r3:offset(32) ${RA}`],
    ["restore", [0x83, 2, 0xc3], `cfa=r7+8 ${RA}`],
    ["restore_extended", [0x83, 2, 0x06, 3], `cfa=r7+8 ${RA}`],
    ["restore of what the CIE set", [0x07, 16, 0xd0], `cfa=r7+8 ${RA}`],
    ["undefined", [0x07, 16], "cfa=r7+8 r16:undefined"],
    ["same_value", [0x08, 3], `cfa=r7+8 r3:same ${RA}`],
    ["register", [0x09, 3, 12], `cfa=r7+8 r3:register(r12) ${RA}`],
    ["remember and restore state", [0x0a, 0x0e, 99, 0x83, 2, 0x0b], `cfa=r7+8 ${RA}`],
    ["def_cfa_sf", [0x12, 6, 0x7e], `cfa=r6+16 ${RA}`],
    ["def_cfa_offset_sf", [0x13, 0x7e], `cfa=r7+16 ${RA}`],
    ["def_cfa_expression", [0x0f, 2, 0x77, 8], `cfa=expression(119,8) ${RA}`],
    ["expression", [0x10, 6, 2, 0x76, 0], `cfa=r7+8 r6:expression(118,0) ${RA}`],
    ["val_expression", [0x16, 6, 2, 0x76, 0], `cfa=r7+8 r6:value-expression(118,0) ${RA}`],
    ["val_offset", [0x14, 7, 2], `cfa=r7+8 r7:value-offset(-16) ${RA}`],
    ["val_offset_sf", [0x15, 7, 0x7e], `cfa=r7+8 r7:value-offset(16) ${RA}`],
    ["GNU_args_size and GNU_window_save", [0x2e, 0x90, 1, 0x2d], `cfa=r7+8 ${RA}`],
  ])("%s", (_name, instructions, row) => {
    expect(rowOf(instructions, 1)).toBe(row);
  });

  it.each<[string, readonly number[]]>([
    ["cut inside an operand", [0x0e]],
    ["an instruction that is none", [0x3c]],
    ["restoring what was not remembered", [0x0b]],
    ["remembering without end", new Array(100).fill(0x0a)],
    ["going backwards", [0x01, ...u64(START + 8n), 0x01, ...u64(START)]],
    ["changing the offset of an expression", [0x0f, 1, 0x30, 0x0e, 8]],
    ["more registers than there are", Array.from({ length: 400 }, (_, i) => [0x08, ...uleb(i)]).flat()],
  ])("gives nothing for %s", (_name, instructions) => {
    expect(rowOf(instructions, 16)).toBeNull();
  });
});

describe("formats", () => {
  it.each([
    ["version 1", 1, false],
    ["version 3", 3, false],
    ["version 4", 4, false],
    ["64-bit DWARF", 4, true],
  ])(".debug_frame of %s", (_name, version, wide) => {
    const builder = new CfiBuilder("debug_frame", wide);
    builder.fde(builder.cie({ version }), RANGE, [0x41, 0x0e, 16]);
    const table = new CfiSectionTable({ kind: "debug_frame", section: builder.section(), address: 0 });
    expect(inWords(table.find(PC + 1))).toBe("cfa=r7+16 r16:offset(-8)");
  });

  const AT = signedAddress(0xffffffff82000000n);
  /** Start relative to its own place, as GNU ld writes it. */
  const relative = (builder: CfiBuilder) => u32(PC - (AT + builder.nextRange));
  it.each<[string, string, readonly number[], string]>([
    ["zR", "zR", [0x1b], "cfa=r7+16 r16:offset(-8)"],
    ["zPLR", "zPLR", [0x03, 1, 2, 3, 4, 0x00, 0x1b], "cfa=r7+16 r16:offset(-8)"],
    ["zRS, a signal frame", "zRS", [0x1b], "cfa=r7+16 r16:offset(-8) signal"],
    ["a letter not known, behind a z", "zR?", [0x1b, 9, 9], "cfa=r7+16 r16:offset(-8)"],
  ])(".eh_frame with %s", (_name, augmentation, data, row) => {
    const builder = new CfiBuilder("eh_frame");
    const cie = builder.cie({ augmentation, data });
    builder.fde(cie, [...relative(builder), ...u32(0x100), 0], [0x41, 0x0e, 16]);
    const table = new CfiSectionTable({ kind: "eh_frame", section: builder.section(), address: AT });
    expect(inWords(table.find(PC + 1))).toBe(row);
  });

  it.each([
    ["an augmentation that nobody knows", { augmentation: "eh" }],
    ["a version of the future", { version: 5 }],
    ["relative to nothing we know", { augmentation: "zR", data: [0x2b] }],
  ])("gives nothing for %s", (_name, parts) => {
    const builder = new CfiBuilder("debug_frame");
    builder.fde(builder.cie(parts), [...RANGE, 0], []);
    const table = new CfiSectionTable({ kind: "debug_frame", section: builder.section(), address: 0 });
    expect(table.find(PC)).toBeNull();
  });
});

describe("finding the entry", () => {
  const functions = [7, 3, 9, 1, 5];
  function build(kind: "debug_frame" | "eh_frame") {
    const builder = new CfiBuilder(kind);
    const cie = builder.cie();
    const offsets = functions.map((n) =>
      builder.fde(cie, [...u64(START + BigInt(n) * 0x100n), ...u64(0x80n)], [0x0e, ...uleb(n * 8)]),
    );
    return { builder, offsets };
  }
  const cases = [
    [1, 0, 8],
    [1, 0x7f, 8],
    [1, 0x80, null],
    [9, 0x10, 72],
    [5, 1, 40],
    [4, 0, null],
    [10, 0, null],
  ] as const;

  it.each(cases)("in a section in no order: function %i + %i", (n, offset, cfa) => {
    const table = new CfiSectionTable({
      kind: "debug_frame",
      section: build("debug_frame").builder.section(),
      address: 0,
    });
    const row = table.find(PC + n * 0x100 + offset);
    expect(row?.cfa.kind === "register" ? row.cfa.offset : null).toBe(cfa);
  });

  it.each(cases)("by the linker's table: function %i + %i", (n, offset, cfa) => {
    const frames = signedAddress(0xffffffff82001000n);
    const at = signedAddress(0xffffffff82000000n);
    const { builder, offsets } = build("eh_frame");
    const order = functions.map((n, i) => ({ n, fde: frames + offsets[i]! })).sort((a, b) => a.n - b.n);
    const entries = order.flatMap(({ n, fde }) => [...u32(PC + n * 0x100 - at), ...u32(fde - at)]);
    const bytes = Uint8Array.from([1, 0x1b, 0x03, 0x3b, ...u32(frames - (at + 4)), ...u32(order.length), ...entries]);
    const header = CfiHeader.open(sectionOf(bytes), at);
    expect(header?.frames).toBe(frames);
    const table = new CfiSectionTable({ kind: "eh_frame", section: builder.section(), address: frames, header });
    const row = table.find(PC + n * 0x100 + offset);
    expect(row?.cfa.kind === "register" ? row.cfa.offset : null).toBe(cfa);
  });

  it("takes no table of the linker's that is not sorted, cut or of another version", () => {
    const at = signedAddress(0xffffffff82000000n);
    const table = (version: number, entries: readonly number[]) =>
      CfiHeader.open(
        sectionOf(
          Uint8Array.from([version, 0x1b, 0x03, 0x3b, ...u32(0), ...u32(entries.length), ...entries.flatMap(u32)]),
        ),
        at,
      );
    expect(table(1, [1, 0, 2, 0])).not.toBeNull();
    expect(table(1, [2, 0, 1, 0, 3, 0, 4, 0])).toBeNull();
    expect(table(2, [1, 0, 2, 0])).toBeNull();
    expect(table(1, [])).toBeNull();
  });

  it("keeps what lies before damage", () => {
    const { builder } = build("debug_frame");
    const bytes = Uint8Array.from([...builder.bytes, ...u32(0x7fffffff), 1, 2, 3, 4]);
    const table = new CfiSectionTable({ kind: "debug_frame", section: sectionOf(bytes), address: 0 });
    expect(table.find(PC + 0x100)).not.toBeNull();
  });
});

test("hostile sections give rows or nothing, and end", () => {
  const builder = new CfiBuilder("debug_frame");
  builder.fde(builder.cie(), RANGE, GCC_START);
  const seed = Uint8Array.from(builder.bytes);
  const change = fc.tuple(fc.nat(seed.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.constantFrom("debug_frame", "eh_frame"), (changes, kind) => {
      const bytes = seed.slice();
      for (const [at, value] of changes) bytes[at] = value;
      const table = new CfiSectionTable({ kind, section: sectionOf(bytes), address: PC });
      for (const offset of [0, 8, 0xff]) {
        const row = table.find(PC + offset);
        expect(row === null || row.registers.size <= 256).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
