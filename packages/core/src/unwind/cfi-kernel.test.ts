import { expect, test } from "vitest";
import type { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { FakeMemory, fakeSymbols } from "../kernel/memory.fixture.ts";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import { CfiBuilder, u32, u64 } from "./cfi.fixture.ts";
import { CfiOfFiles, openCfiInMemory } from "./cfi-kernel.ts";

const TEXT = 0xffffffff81000000n;
const FRAMES = 0xffffffff82000000n;
const HEADER = 0xffffffff82001000n;

/** One function at TEXT whose CFA is RSP + 24. */
function section(kind: "eh_frame" | "debug_frame", start = TEXT): CfiBuilder {
  const builder = new CfiBuilder(kind);
  builder.fde(builder.cie(), [...u64(start), ...u64(0x40n)], [0x0e, 24]);
  return builder;
}

test.each([
  ["between SUSE's symbols", { __start_unwind: 0, __end_unwind: 1 }, 24],
  ["between 6.2's", { __eh_frame_start: 0, __eh_frame_end: 1 }, 24],
  ["with a sorted table", { __start_unwind: 0, __end_unwind: 1, __start_unwind_hdr: 2, __end_unwind_hdr: 3 }, 24],
  ["with one end only", { __start_unwind: 0 }, null],
  ["upside down", { __start_unwind: 1, __end_unwind: 0 }, null],
  ["not kept", {}, null],
])("the kernel's own .eh_frame: %s", (_what, places, offset) => {
  const builder = section("eh_frame");
  const bytes = Uint8Array.from(builder.bytes);
  const fde = 4 + (bytes[0] ?? 0);
  const table = [1, 0x1b, 0x03, 0x3b, ...u32(Number(FRAMES - HEADER) - 4), ...u32(1)];
  table.push(...u32(Number(TEXT - HEADER)), ...u32(Number(FRAMES - HEADER) + fde));
  const memory = new FakeMemory();
  memory.map(FRAMES, bytes);
  memory.map(HEADER, Uint8Array.from(table));
  const addresses = [FRAMES, FRAMES + BigInt(bytes.length), HEADER, HEADER + BigInt(table.length)];
  const symbols = Object.fromEntries(Object.entries(places).map(([name, index]) => [name, addresses[index]!]));
  const row = openCfiInMemory(memory, fakeSymbols(symbols))?.find(TEXT + 8n) ?? null;
  expect(row?.cfa.kind === "register" ? row.cfa.offset : null).toBe(offset);
});

test("a debug file's .debug_frame is at the addresses it was linked to", () => {
  const bias = 0x600000n;
  const content = section("debug_frame").section();
  const opened: string[] = [];
  const file = {
    section: (name: string) => {
      opened.push(name);
      return name === ".debug_frame" ? content : null;
    },
  } as unknown as DwarfFile;
  const cfi = new CfiOfFiles({
    at: (address) => (address < FRAMES ? { file, pc: signedAddress(address - bias) } : null),
  });
  expect(cfi.find(TEXT + bias + 0x3fn)).not.toBeNull();
  expect(cfi.find(TEXT + bias + 0x40n)).toBeNull();
  expect(cfi.find(FRAMES)).toBeNull();
  expect(opened).toEqual([".debug_frame"]);
});
