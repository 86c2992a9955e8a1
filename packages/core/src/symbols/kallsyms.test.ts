import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mappedKernelRanges } from "../memory/kernel-image.ts";
import { type Kallsyms, kallsymsFromVmcoreinfo, openKallsyms } from "./kallsyms.ts";
import { type AddressEncoding, unsignedAddress } from "./kallsyms-addresses.ts";
import { findKallsyms } from "./kallsyms-find.ts";
import { type FakeKernel, fakeKernel, plainSymbols } from "./testing/fake-kernel-image.ts";
import type { EncodeOptions, PlainSymbol } from "./testing/kallsyms-encoder.ts";

/** Every combination that some kernel has had. */
const KINDS: [string, Omit<EncodeOptions, "at">][] = [
  ["3.x: absolute", { encoding: "absolute", order: "before", longLengths: false, markerWidth: 8 }],
  ["4.6: per-CPU", { encoding: "absolute-percpu", order: "before", longLengths: false, markerWidth: 8 }],
  [
    "4.6 without SMP: base-relative",
    { encoding: "base-relative", order: "before", longLengths: false, markerWidth: 8 },
  ],
  ["4.20: 32-bit markers", { encoding: "absolute-percpu", order: "before", longLengths: false, markerWidth: 4 }],
  ["6.1: two-byte lengths", { encoding: "absolute-percpu", order: "before", longLengths: true, markerWidth: 4 }],
  ["6.1 absolute", { encoding: "absolute", order: "before", longLengths: true, markerWidth: 4 }],
  [
    "6.2: seqs of names",
    { encoding: "absolute-percpu", order: "before", longLengths: true, markerWidth: 4, seqs: true },
  ],
  ["6.5: addresses behind", { encoding: "absolute-percpu", order: "after", longLengths: true, markerWidth: 4 }],
  ["6.15: base-relative", { encoding: "base-relative", order: "after", longLengths: true, markerWidth: 4 }],
  ["7.0: place-relative", { encoding: "place-relative", order: "after", longLengths: true, markerWidth: 4 }],
];

/** Encodings that can hold per-CPU offsets, which lie 2^64 - 2 GiB below the kernel. */
function holdsPerCpu(encoding: AddressEncoding): boolean {
  return encoding === "absolute" || encoding === "absolute-percpu";
}

function decoded(kallsyms: Kallsyms | null): PlainSymbol[] {
  if (kallsyms === null) return [];
  return Array.from({ length: kallsyms.names.count }, (_, i) => ({
    name: kallsyms.names.name(i),
    type: kallsyms.names.type(i),
    address: unsignedAddress(kallsyms.addresses[i]!),
  }));
}

function open(kernel: FakeKernel): Kallsyms | null {
  const at = kallsymsFromVmcoreinfo(kernel.space, kernel.vmcoreinfo);
  return at === null ? null : openKallsyms(kernel.space, at, kernel.text);
}

describe.each(KINDS)("%s", (_, kind) => {
  const symbols = (text: bigint) => plainSymbols(text, 1500, holdsPerCpu(kind.encoding));

  it("decodes by VMCOREINFO", () => {
    const kernel = fakeKernel(symbols, kind);
    const kallsyms = open(kernel);
    expect(kallsyms?.encoding).toBe(kind.encoding);
    expect(decoded(kallsyms)).toEqual(symbols(kernel.text));
    expect(kallsyms?.problems).toEqual([]);
  });

  it("is found by its content", () => {
    const kernel = fakeKernel(symbols, kind);
    const found = findKallsyms(kernel.space, mappedKernelRanges(kernel.space));
    expect(found?.count).toBe(symbols(0n).length);
    expect(found?.names).toBe(kernel.kallsyms.symbols.kallsyms_names);
    expect(found?.tokenTable).toBe(kernel.kallsyms.symbols.kallsyms_token_table);
    expect(found?.tokenIndex).toBe(kernel.kallsyms.symbols.kallsyms_token_index);
    const kallsyms = openKallsyms(kernel.space, found!, null);
    expect(kallsyms?.encoding).toBe(kind.encoding);
    expect(decoded(kallsyms)).toEqual(symbols(kernel.text));
  });
});

it("decodes whatever was encoded", () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_.]{0,180}$/);
  fc.assert(
    fc.property(
      fc.array(fc.record({ name, step: fc.integer({ min: 0, max: 4000 }), type: fc.constantFrom(..."TtdDbBrRwWA") }), {
        minLength: 1,
        maxLength: 300,
      }),
      fc.constantFrom(...KINDS.map(([, kind]) => kind)),
      fc.integer({ min: 0, max: 300 }),
      (list, kind, stextAt) => {
        const symbols = (text: bigint): PlainSymbol[] => {
          let address = text;
          const plain = list.map((one) => {
            address += BigInt(one.step);
            return { name: `${one.name}!`, type: one.type, address };
          });
          const at = Math.min(stextAt, plain.length);
          const stext = at === 0 ? text : plain[at - 1]!.address;
          plain.splice(at, 0, { name: "_stext", type: "T", address: stext });
          return plain;
        };
        const kernel = fakeKernel(symbols, kind);
        const wanted = symbols(kernel.text);
        const stext = wanted.find((symbol) => symbol.name === "_stext")!.address;
        const kallsyms = openKallsyms(kernel.space, kallsymsFromVmcoreinfo(kernel.space, kernel.vmcoreinfo)!, stext);
        expect(decoded(kallsyms)).toEqual(wanted);
        for (const [i, symbol] of wanted.entries()) {
          const same = wanted.flatMap((other, j) => (other.name === symbol.name ? [j] : []));
          expect(kallsyms?.names.find(symbol.name)).toEqual(same);
          if (i === same[0]) expect(kallsyms?.names.scan(symbol.name)).toBe(i);
        }
        expect(kallsyms?.names.find("not there")).toEqual([]);
        expect(kallsyms?.names.scan("not there")).toBe(-1);
      },
    ),
    { numRuns: 60 },
  );
});

it.each([
  ["more names than are made at once", 300, 20],
  ["names longer than the kernel's", 3, 600],
])("names that are made all at once are those that are made one by one: %s", (_, count, length) => {
  const kernel = fakeKernel((text) => [
    ...plainSymbols(text, count),
    { name: "x".repeat(length), type: "t", address: text + 0x100000n },
  ]);
  const names = open(kernel)!.names;
  const asked = names.name(1);
  names.nameAll();
  expect(Array.from({ length: names.count }, (_, i) => names.name(i))).toEqual(
    decoded(open(kernel)).map(({ name }) => name),
  );
  expect([names.name(1), names.name(names.count - 1)]).toEqual([asked, "x".repeat(length)]);
});

describe("searching by address", () => {
  const kernel = fakeKernel((text) => plainSymbols(text, 20));
  const { order, names } = open(kernel)!;
  const nameAt = (address: bigint) => {
    const rank = order.floor(Number(BigInt.asIntN(64, address)));
    return rank < 0 ? null : names.name(order.at(rank));
  };
  it.each([
    [0n, "_stext"],
    [15n, "_stext"],
    [16n, names.name(3)],
    [31n, names.name(3)],
    [0x10000n, "_etext"],
    [-1n, null],
  ])("text%s", (offset, name) => {
    expect(nameAt(kernel.text + offset)).toBe(name);
  });

  it("sorts a table that is out of order", () => {
    const mixed = (text: bigint) => [
      { name: "_stext", type: "T", address: text },
      ...Array.from({ length: 100 }, (_, i) => ({ name: `f${i}`, type: "T", address: text + BigInt(16 * (i + 1)) })),
      { name: "late", type: "T", address: text + 8n },
      { name: "absolute", type: "A", address: 0x100n },
    ];
    const one = fakeKernel(mixed, { encoding: "absolute" });
    const kallsyms = open(one)!;
    const rank = kallsyms.order.floor(Number(BigInt.asIntN(64, one.text + 15n)));
    expect(kallsyms.names.name(kallsyms.order.at(rank))).toBe("late");
    expect(kallsyms.order.length).toBe(102);
  });
});

describe("what is missing or wrong", () => {
  const symbols = (text: bigint) => plainSymbols(text, 1500);

  it("a lost page of names costs the names from there on", () => {
    const kernel = fakeKernel(symbols);
    const names = kernel.kallsyms.symbols.kallsyms_names!;
    kernel.memory.lose(Number((kernel.space.translate(names + 0x2000n) ?? 0n) >> 12n), "lost");
    const kallsyms = open(kernel)!;
    expect(kallsyms.names.count).toBeGreaterThan(300);
    expect(kallsyms.names.count).toBeLessThan(1500);
    expect(kallsyms.problems[0]).toMatch(/^names of \d+ of 1504 kernel symbols are missing$/);
    expect(decoded(kallsyms)).toEqual(symbols(kernel.text).slice(0, kallsyms.names.count));
  });

  it.each(["kallsyms_token_table", "kallsyms_token_index", "kallsyms_names", "kallsyms_offsets", "kallsyms_num_syms"])(
    "is null where %s cannot be read",
    (name) => {
      const kernel = fakeKernel(symbols);
      kernel.vmcoreinfo.set(`SYMBOL(${name})`, "ffffffffb0000000");
      expect(open(kernel)).toBeNull();
    },
  );

  it("is null where no encoding gives VMCOREINFO's _stext", () => {
    const kernel = fakeKernel(symbols);
    const at = kallsymsFromVmcoreinfo(kernel.space, kernel.vmcoreinfo)!;
    expect(openKallsyms(kernel.space, at, kernel.text + 16n)).toBeNull();
  });

  it("ends, and throws nothing, on damaged tables", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0xffff), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(...KINDS.map(([, kind]) => kind)),
        (damage, kind) => {
          const kernel = fakeKernel((text) => plainSymbols(text, 800, holdsPerCpu(kind.encoding)), kind);
          const { bytes } = kernel.kallsyms;
          for (const [at, value] of damage) {
            kernel.write(kernel.rodata + 0x3018n + BigInt(at % bytes.length), Uint8Array.of(value));
          }
          const found = findKallsyms(kernel.space, mappedKernelRanges(kernel.space));
          if (found !== null) decoded(openKallsyms(kernel.space, found, null));
          decoded(open(kernel));
        },
      ),
      {
        numRuns: 60,
        examples: [
          // The last name has no bytes.
          [
            [
              [43206, 2],
              [0, 0],
            ],
            { encoding: "absolute-percpu", order: "before", longLengths: false, markerWidth: 8 },
          ],
        ],
      },
    );
  });
});
