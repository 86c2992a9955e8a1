import { describe, expect, test } from "vitest";
import { type ByteSource, MemorySource } from "../bytes/byte-source.ts";
import type { KernelModule, SymbolTable } from "../symbols/symbol-table.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { DebugFileRequest } from "./debug-file-finder.ts";
import { DebugFiles, type DebuggedKernel } from "./debug-files.ts";
import { KernelDebugInfo } from "./kernel-debug-info.ts";
import { bytesOf } from "./testing/byte-writer.ts";
import { buildIdNote, type MadeSection, makeElfFile, relaEntries, symbolTable } from "./testing/make-elf-file.ts";
import { SAMPLE_TEXT, sampleDwarf } from "./testing/sample-dwarf.ts";

const KASLR = 0x0e000000n;
const MODULE_TEXT = 0xffffffffc0500000n;

const debugSections = (text?: bigint): MadeSection[] =>
  Object.entries(sampleDwarf(text)).map(([name, bytes]) => ({ name, bytes }));
const note = (...id: number[]): MadeSection => ({ name: ".note.gnu.build-id", type: 7, bytes: buildIdNote(id) });

const vmlinux = (...id: number[]) =>
  makeElfFile([{ name: ".text", type: 8, flags: 6, address: SAMPLE_TEXT }, note(...id), ...debugSections()]);

/** The sample as a module before it is loaded: addresses are relocations against .text, which is section 1. */
function module(): Uint8Array {
  const made = sampleDwarf(0n);
  const moved = sampleDwarf(0x1000n);
  const sections: MadeSection[] = [
    { name: ".text", flags: 6, bytes: new Uint8Array(0x120) },
    note(1, 2),
    // "valid" is there twice, as a static function may be: it tells nothing.
    {
      name: ".symtab",
      type: 2,
      link: 4,
      bytes: symbolTable([
        [0, 3, 1, 0],
        [1, 2, 1, 0],
        [11, 2, 1, 0x50],
        [11, 2, 1, 0x90],
        [17, 2, 1, 0x100],
      ]),
    },
    { name: ".strtab", type: 3, bytes: bytesOf((out) => out.u8(0).text("vfs_write").text("valid").text("cold")) },
  ];
  for (const [name, bytes] of Object.entries(made)) {
    const other = moved[name]!;
    // Every address differs in its second byte.
    const places = [...bytes.keys()].filter((at) => bytes[at] !== other[at]).map((at) => at - 1);
    const view = new DataView(bytes.buffer);
    sections.push({ name, bytes });
    const entries = places.map((at) => [at, 1, 1, view.getUint16(at, true)] as const);
    sections.push({ name: `.rela${name}`, type: 4, link: 3, info: sections.length, bytes: relaEntries(entries) });
  }
  return makeElfFile(sections, 1);
}

const noSymbols: SymbolTable = {
  byName: () => null,
  allByName: () => [],
  byAddress: () => null,
  functionAt: () => null,
  isText: () => false,
  modules: [],
  all: () => [],
};

function kernel(over: Partial<DebuggedKernel> = {}): DebuggedKernel {
  const text = { _text: SAMPLE_TEXT + KASLR, _end: SAMPLE_TEXT + KASLR + 0x10000n } as Record<string, bigint>;
  const byName: SymbolTable["byName"] = (name, module) =>
    text[name] === undefined || module != null ? null : { name, address: text[name], type: "T", module: null };
  return {
    memory: { u64: () => null, u32: () => null, read: () => null } as unknown as DebuggedKernel["memory"],
    types: EmptyTypes,
    vmcoreinfo: new Map([["BUILD-ID", "3b433b43"]]),
    release: "6.1.0",
    kaslrOffset: KASLR,
    symbols: { ...noSymbols, byName },
    ...over,
  };
}

function finder(...files: readonly (readonly [string, Uint8Array])[]) {
  const asked: DebugFileRequest[] = [];
  const opened: string[] = [];
  return {
    asked,
    opened,
    named: [] as ByteSource[],
    *candidates(request: DebugFileRequest): Generator<ByteSource> {
      asked.push(request);
      for (const [name, bytes] of files) {
        opened.push(name);
        yield new MemorySource(bytes, name);
      }
    },
  };
}

const right = vmlinux(0x3b, 0x43, 0x3b, 0x43);

describe("the kernel's file", () => {
  test("is looked for when it is first needed, by release and build-id, and moved by KASLR", () => {
    const from = finder(["vmlinux", right]);
    const info = new KernelDebugInfo(kernel(), from);
    expect(from.asked).toEqual([]);
    expect(info.framesAt(SAMPLE_TEXT + KASLR + 0x45n).map((frame) => frame.function)).toEqual([
      "access_ok",
      "vfs_write",
    ]);
    expect(info.framesAt(SAMPLE_TEXT + 0x45n)).toEqual([]);
    expect(from.asked).toEqual([{ kind: "kernel", release: "6.1.0", buildId: "3b433b43" }]);
    expect(info.problems).toEqual([]);
  });

  const stripped = makeElfFile([note(0x3b, 0x43, 0x3b, 0x43)]);
  const wrong = [
    ["stripped", stripped],
    ["other", vmlinux(9)],
    ["text", new Uint8Array(9)],
  ] as const;

  test("the first that fits is taken", () => {
    const from = finder(...wrong, ["vmlinux", right], ["late", right]);
    const files = new DebugFiles(kernel(), from);
    expect(files.vmlinux?.name).toBe("vmlinux");
    expect(from.opened).toEqual(["stripped", "other", "text", "vmlinux"]);
    expect(files.problems).toEqual([]);
  });

  test("where none fits, what was found is told, but for stripped files", () => {
    const files = new DebugFiles(kernel(), finder(...wrong));
    expect(files.vmlinux).toBeNull();
    expect(files.problems).toEqual([
      expect.stringMatching(/^other was not used.*\(09\)/),
      expect.stringMatching(/^text: not/),
    ]);
  });

  test("is not guessed where the dump tells no build-id, unless it was named", () => {
    const unknown = kernel({ vmcoreinfo: new Map() });
    const guessed = new DebugFiles(unknown, finder(["vmlinux", right]));
    expect(guessed.vmlinux).toBeNull();
    expect(guessed.problems).toEqual([expect.stringContaining("does not tell the build-id")]);
    const named = new DebugFiles(unknown, { ...finder(), named: [new MemorySource(right, "mine")] });
    expect(named.vmlinux?.name).toBe("mine");
    expect(named.problems).toEqual([expect.stringContaining("on trust")]);
  });

  test("that was named and is another's is an error at once", () => {
    expect(() => new KernelDebugInfo(kernel(), { ...finder(), named: [new MemorySource(vmlinux(7), "mine")] })).toThrow(
      expect.objectContaining({ code: "SPW_DEBUGINFO_MISMATCH" }),
    );
  });
});

test("lines to addresses, over all units, in the running kernel's addresses", () => {
  const info = new KernelDebugInfo(kernel(), finder(["vmlinux", right]));
  expect(info.addressesOf("read_write.c", 532)).toEqual([SAMPLE_TEXT + KASLR + 0x20n]);
  expect(info.addressesOf("fs/read_write.c", 9999)).toEqual([]);
  expect(info.addressesOf("write.c", 532)).toEqual([]);
});

describe("a module's file", () => {
  const base: KernelModule = {
    name: "vandal",
    address: 0xffffffffc0600000n,
    size: 0x1000,
    base: MODULE_TEXT,
    state: "live",
    taints: "",
    areas: [{ start: MODULE_TEXT, size: 0x1000, text: true }],
  };
  const withModule = (symbols: Readonly<Record<string, bigint>>) =>
    kernel({
      symbols: {
        ...noSymbols,
        modules: [base],
        byName: (name, of) =>
          of === "vandal" && symbols[name] !== undefined
            ? { name, address: symbols[name], type: "t", module: "vandal" }
            : null,
      },
    });
  const symbols = { valid: MODULE_TEXT + 0x333n, cold: MODULE_TEXT + 0x200n, vfs_write: MODULE_TEXT + 0x100n };
  // Without the module's own account of its sections and notes, its symbols tell where they are, and the user which file.
  const named = () => ({ ...finder(), named: [new MemorySource(module(), "/build/vandal.ko")] });

  test("tells of addresses in the module, wherever that was loaded", () => {
    const info = new KernelDebugInfo(withModule(symbols), named());
    const frames = info.framesAt(MODULE_TEXT + 0x145n);
    expect(frames.map((one) => `${one.function} ${one.location?.file}:${one.location?.line}`)).toEqual([
      "access_ok fs/read_write.c:569",
      "vfs_write fs/read_write.c:572",
    ]);
    expect(info.framesAt(MODULE_TEXT + 0x20n)).toEqual([]);
  });

  test("is no help where nothing tells the places of its sections", () => {
    const info = new KernelDebugInfo(withModule({}), named());
    expect(info.framesAt(MODULE_TEXT + 0x145n)).toEqual([]);
    expect(info.problems.at(-1)).toMatch(/sections of module vandal/);
  });

  test("is asked for by the module's name", () => {
    const from = finder();
    expect(new KernelDebugInfo(withModule(symbols), from).framesAt(MODULE_TEXT)).toEqual([]);
    expect(from.asked).toEqual([{ kind: "module", name: "vandal", release: "6.1.0", buildId: null }]);
  });
});
