import { describe, expect, it } from "vitest";
import { FakeMemory, fakeSymbols } from "../kernel/memory.fixture.ts";
import type { KernelModule } from "../symbols/symbol-table.ts";
import { decodeOrc, layoutName, ORC_LAYOUTS, type OrcLayout, typesFromHeader } from "./orc-layout.ts";
import { openOrc } from "./orc-table.ts";

const TEXT = 0xffffffff81000000n;
const TABLE = 0xffffffff82000000n;

/** [address offset from text, sp offset, bp offset, flags] */
type Row = readonly [number, number, number, number];

function put(memory: FakeMemory, ip: bigint, orc: bigint, text: bigint, rows: readonly Row[]): void {
  rows.forEach(([at, sp, bp, flags], i) => {
    const where = ip + BigInt(4 * i);
    memory.write32(where, Number(BigInt.asIntN(32, text + BigInt(at) - where)));
    const entry = new Uint8Array(6);
    const view = new DataView(entry.buffer);
    view.setInt16(0, sp, true);
    view.setInt16(2, bp, true);
    view.setUint16(4, flags, true);
    memory.write(orc + BigInt(6 * i), entry);
  });
}

/** A kernel with ordinary functions of 0x40 bytes each, then entry code, in the numbers of one layout. */
function kernel(layout: OrcLayout, modules: readonly KernelModule[] = [], header?: Uint8Array) {
  const old = layout.registers === "4.14";
  const n = {
    sp: old ? 3 : 5,
    bpSaved: (old ? 8 : 1) << 4,
    ...{
      "4.14": { call: 0, regs: 0x100, iret: 0x200, end: 0x400 },
      "6.3": { call: 0, regs: 0x500, iret: 0x600, end: 0x800 },
      "6.4": { call: 0x200, regs: 0xb00, iret: 0xc00, end: 0x100 },
    }[layout.types],
  };
  const rows: Row[] = [];
  const functions = 2000;
  for (let f = 0; f < functions; f++) {
    rows.push([f * 0x40, 8, 0, n.call | n.sp], [f * 0x40 + 1, 16, -16, n.call | n.bpSaved | n.sp]);
    rows.push([f * 0x40 + 4, 16, -16, n.call | n.bpSaved | 4], [f * 0x40 + 0x30, 8, 0, n.call | n.sp]);
  }
  const entryCode = functions * 0x40;
  rows.push([entryCode, 0, 0, n.end], [entryCode + 0x10, 0, 0, n.regs | n.sp], [entryCode + 0x20, 0, 0, n.iret | n.sp]);
  rows.push([entryCode + 0x40, 0, 0, 0], [entryCode + 0x40, 8, 0, n.call | n.sp], [entryCode + 0x80, 0, 0, 0]);

  const memory = new FakeMemory();
  const ipLength = rows.length * 4;
  const orc = TABLE + BigInt(ipLength);
  memory.map(TABLE, ipLength + rows.length * 6);
  put(memory, TABLE, orc, TEXT, rows);
  const list: Record<string, bigint> = {
    entry_SYSCALL_64: TEXT + BigInt(entryCode),
    __start_orc_unwind_ip: TABLE,
    __stop_orc_unwind_ip: orc,
    __start_orc_unwind: orc,
  };
  if (header) {
    memory.map(0xffffffff83000000n, header);
    list.__start_orc_header = 0xffffffff83000000n;
  }
  return { memory, symbols: fakeSymbols(list, modules), entryCode };
}

const PLAIN_6_4: OrcLayout = { types: "6.4", registers: "4.14" };
const HASH_6_4 = "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24";
const hex = (text: string) => Uint8Array.from(text.match(/../g)!.map((h) => Number.parseInt(h, 16)));
const layouts = ORC_LAYOUTS.map((layout) => [layoutName(layout), layout] as const);

describe("openOrc", () => {
  it.each(layouts)("recognises layout %s by content", (name, layout) => {
    const { memory, symbols } = kernel(layout);
    expect(openOrc(memory, symbols)?.layout).toBe(name);
  });

  it("believes the content rather than the header, as Debian's 6.12.117 with the hash of 6.4 needs", () => {
    const { memory, symbols } = kernel({ types: "6.4", registers: "7.1" }, [], hex(HASH_6_4));
    expect(openOrc(memory, symbols)?.layout).toBe("7.1");
  });

  it.each(layouts)("gives the same entries whatever the layout (%s)", (_name, layout) => {
    const { memory, symbols, entryCode } = kernel(layout);
    const orc = openOrc(memory, symbols)!;
    const at = (offset: number) => orc.find(TEXT + BigInt(offset));
    expect(at(0x40 * 7)).toMatchObject({ type: "call", spRegister: "sp", spOffset: 8, bpRegister: "undefined" });
    expect(at(0x40 * 7 + 3)).toEqual({
      address: TEXT + BigInt(0x40 * 7 + 1),
      type: "call",
      spRegister: "sp",
      spOffset: 16,
      bpRegister: "prev-sp",
      bpOffset: -16,
      signal: false,
    });
    expect(at(0x40 * 7 + 0x2f)).toMatchObject({ type: "call", spRegister: "bp", spOffset: 16 });
    expect(at(entryCode)).toMatchObject({ type: "end" });
    expect(at(entryCode + 0x10)).toMatchObject({ type: "regs", signal: true });
    expect(at(entryCode + 0x2f)).toMatchObject({ type: "regs-partial", signal: true });
    expect(at(entryCode + 0x80)).toMatchObject({ type: "undefined" });
  });

  it("prefers the real entry to a terminator at the same address", () => {
    const { memory, symbols, entryCode } = kernel(PLAIN_6_4);
    const entry = openOrc(memory, symbols)!.find(TEXT + BigInt(entryCode + 0x44));
    expect(entry).toMatchObject({ type: "call", spOffset: 8 });
  });

  it("knows nothing of addresses outside", () => {
    const { memory, symbols } = kernel(PLAIN_6_4);
    const orc = openOrc(memory, symbols)!;
    for (const pc of [0n, TEXT - 1n, TEXT + 0x10000000n, 0xffffffffffffffffn]) expect(orc.find(pc)).toBeNull();
  });

  it("is null without tables, and where they are no ORC tables", () => {
    expect(openOrc(new FakeMemory(), fakeSymbols({}))).toBeNull();
    const { memory, symbols } = kernel(PLAIN_6_4);
    const start = symbols.byName("__start_orc_unwind")!.address;
    memory.write(start, new Uint8Array(8006 * 6).fill(0xff));
    expect(openOrc(memory, symbols)).toBeNull();
  });

  it("finds a module's tables inside its struct module", () => {
    const base = 0xffffffffc0000000n;
    const module: KernelModule = {
      name: "vandal",
      address: base + 0x4000n,
      size: 0x8000,
      base,
      state: "live",
      taints: "OE",
      areas: [
        { start: base, size: 0x1000, text: true },
        { start: base + 0x3000n, size: 0x5000, text: false },
      ],
    };
    const { memory, symbols } = kernel(PLAIN_6_4, [module]);
    memory.map(base, 0x8000);
    memory.write32(module.address + 0x100n, 5); // count-like noise before the true triple
    memory.write64(module.address + 0x108n, base + 0x3000n);
    memory.write32(module.address + 0x1e0n, 4);
    memory.write64(module.address + 0x1e8n, base + 0x3201n); // neither aligned nor first
    memory.write64(module.address + 0x1f0n, base + 0x3100n);
    put(memory, base + 0x3201n, base + 0x3100n, base, [
      [0x10, 8, 0, 0x203],
      [0x14, 24, -16, 0x283],
      [0x90, 0, 0, 0],
      [0x9000, 0, 0, 0], // init text, long gone
    ]);
    const orc = openOrc(memory, symbols)!;
    expect(orc.find(base + 0x80n)).toMatchObject({ address: base + 0x14n, spOffset: 24, bpRegister: "prev-sp" });
    expect(orc.find(base + 0x95n)).toMatchObject({ type: "undefined" });
    expect(orc.find(base)).toBeNull();
  });
});

describe("decodeOrc", () => {
  it.each([
    ["4.14", "4.14", 0x0300, "reserved type 3"],
    ["4.14", "4.14", 0x0803, "bit 11 is unused"],
    ["6.3", "4.14", 0x1003, "bit 12 is unused"],
    ["6.4", "4.14", 0x0503, "reserved type 5"],
    ["6.4", "4.14", 0x0201, "AX is never a base"],
    ["6.4", "4.14", 0x020c, "register 12 does not exist"],
    ["6.4", "4.14", 0x0200, "a call needs a base"],
    ["6.4", "7.1", 0x0285, "BP cannot be saved relative to BP-indirect"],
  ] as const)("%s types, %s registers: no meaning in %i, %s", (types, registers, flags, _why) => {
    expect(decodeOrc({ types, registers }, 8, 0, flags)).toBeNull();
  });

  it("knows the hashes of the headers, and no others", () => {
    expect(typesFromHeader(hex(HASH_6_4))).toBe("6.4");
    expect(typesFromHeader(hex(HASH_6_4.replace("fe", "ff")))).toBeNull();
  });
});
