import { describe, expect, it } from "vitest";
import { CodeReader } from "../code/code-reader.ts";
import { directCallers } from "../code/direct-callers.ts";
import type { DumpImage } from "../image/dump-image.ts";
import { PagedAddressSpace } from "../memory/paged-address-space.ts";
import { EXECUTE, FakeMemory, FakePageTables } from "../memory/testing/fake-machine.ts";
import type { FunctionRange, SymbolTable } from "../symbols/symbol-table.ts";
import { type Erasures, erased } from "./erase-registers.ts";
import { RecordedSpace } from "./recorded-space.ts";
import { RecordingMemory } from "./recording-memory.ts";

const TEXT = 0xffffffff81000000n;
const ROOT = 1;

/** Eight pages of memory at TEXT, backed by the frames from 0x100 on; tables are the frames 1 to 4. */
function machine() {
  const memory = new FakeMemory(0x200);
  const tables = new FakePageTables(memory, ROOT, 4);
  for (let i = 0; i < 8; i++) {
    memory.frame(0x100 + i);
    tables.map(TEXT + BigInt(i * 0x1000), BigInt((0x100 + i) * 0x1000), "4K", EXECUTE);
  }
  const record = new RecordingMemory(memory);
  const over = (physical: DumpImage["memory"]) => new PagedAddressSpace(physical, BigInt(ROOT << 12), 4);
  return { memory, record, space: new RecordedSpace(over(record), over(memory)) };
}

const recorded = (record: RecordingMemory): number[] => [...record.kept].filter((pfn) => pfn >= 0x100).sort();

describe("a record of what was read", () => {
  it("has the pages of a read, and the page tables on the way", () => {
    const { record, space } = machine();
    space.read(TEXT + 0x1ff8n, 16);
    expect([...record.kept].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 0x101, 0x102]);
  });

  it.each<[string, (space: RecordedSpace) => unknown]>([
    ["u8", (space) => space.u8(TEXT + 0x3000n)],
    ["u16", (space) => space.u16(TEXT + 0x3000n)],
    ["u32", (space) => space.u32(TEXT + 0x3000n)],
    ["i32", (space) => space.i32(TEXT + 0x3000n)],
    ["u64", (space) => space.u64(TEXT + 0x3000n)],
    ["cstring", (space) => space.cstring(TEXT + 0x3000n)],
    ["readSparse", (space) => space.readSparse(TEXT + 0x3000n, 8)],
    ["explain", (space) => space.explain(TEXT + 0x3000n)],
  ])("counts %s", (_, read) => {
    const { record, space } = machine();
    read(space);
    expect(recorded(record)).toEqual([0x103]);
  });

  it("does not count a pass over much, nor a translation", () => {
    const { record, space } = machine();
    space.scan(TEXT, 0x8000);
    space.translate(TEXT);
    expect(recorded(record)).toEqual([]);
  });

  it("keeps by name what is there, and only that", () => {
    const { memory, record } = machine();
    memory.lose(0x180, "excluded");
    for (const pfn of [0x105, 0x180, 0x1f0]) record.keep(pfn);
    expect(recorded(record)).toEqual([0x105]);
  });

  it("of a search for callers has the pages with callers alone", () => {
    const { memory, record, space } = machine();
    const callee: FunctionRange = { name: "callee", module: null, start: TEXT, end: TEXT + 0x10n };
    // At TEXT + 0x5000: call TEXT.
    memory.write(0x105000, Uint8Array.of(0xe8, ...i32(-0x5005), 0xc3));
    const caller: FunctionRange = { name: "caller", module: null, start: TEXT + 0x5000n, end: TEXT + 0x5006n };
    const symbols = {
      functionAt: (address: bigint) =>
        [callee, caller].find((one) => address >= one.start && address < one.end) ?? null,
      byAddress: () => null,
      byName: (name: string) => ({ _stext: { address: TEXT }, _etext: { address: TEXT + 0x8000n } })[name] ?? null,
      modules: [],
    } as unknown as SymbolTable;
    const sites = directCallers(new CodeReader(space, symbols), callee);
    expect(sites.map((site) => site.caller.name)).toEqual(["caller"]);
    expect(recorded(record)).toEqual([0x105]);
  });
});

function i32(value: number): number[] {
  return [...new Uint8Array(Int32Array.of(value).buffer)];
}

describe("blanking", () => {
  const page = new Uint8Array(4096).fill(7);
  const erasures: Erasures = new Map([
    [
      3,
      [
        [0, 2],
        [4090, 6],
      ] as const,
    ],
  ]);

  it("takes the bytes out of a copy", () => {
    const clean = erased(page, 3, erasures)!;
    expect([clean[0], clean[1], clean[2], clean[4089], clean[4090], clean[4095]]).toEqual([0, 0, 7, 7, 0, 0]);
    expect(page.every((byte) => byte === 7)).toBe(true);
  });

  it("leaves other pages as they are", () => {
    expect(erased(page, 4, erasures)).toBe(page);
    expect(erased(null, 3, erasures)).toBeNull();
  });
});
