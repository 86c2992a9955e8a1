import { describe, expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { moduleNameOf, type NamedFileFacts, sortNamedFiles } from "./named-files.ts";
import { buildIdNote, makeElfFile } from "./testing/make-elf-file.ts";

const ET_REL = 1;
const ET_EXEC = 2;

function file(name: string, type: number, id: readonly number[] | null, debug = true): MemorySource {
  return new MemorySource(
    makeElfFile(
      [
        ...(id === null ? [] : [{ name: ".notes", type: 7, bytes: buildIdNote(id) }]),
        { name: debug ? ".debug_info" : ".text", bytes: new Uint8Array(16) },
      ],
      type,
    ),
    name,
  );
}

function facts(over: Partial<NamedFileFacts> = {}) {
  const said: string[] = [];
  const given: NamedFileFacts = {
    buildId: () => "3b43",
    release: "6.1.0-56-cloud-amd64",
    modules: () => [
      { name: "vandal", buildId: () => "0102" },
      { name: "snd_hda_intel", buildId: () => null },
    ],
    problem: (text) => said.push(text),
    ...over,
  };
  return { given, said };
}

const vmlinux = file("/debug/vmlinux", ET_EXEC, [0x3b, 0x43]);
const vandal = file("/build/vandal.ko", ET_REL, [1, 2]);

describe("files that the user named", () => {
  test("go to the kernel and the module of their build-id, whatever they are called", () => {
    const renamed = file("/tmp/x.debug", ET_REL, [1, 2]);
    const { given, said } = facts();
    const named = sortNamedFiles([renamed, vmlinux], given);
    expect(named.kernel).toBe(vmlinux);
    expect([...named.modules]).toEqual([["vandal", renamed]]);
    expect(said).toEqual([]);
  });

  test("modules are not asked for where only a vmlinux was named", () => {
    const { given } = facts({
      modules: () => {
        throw new Error("asked");
      },
    });
    expect(sortNamedFiles([vmlinux], given).kernel).toBe(vmlinux);
  });

  test.each([
    [
      "a vmlinux of another build",
      file("vmlinux", ET_EXEC, [9]),
      "SPW_DEBUGINFO_MISMATCH",
      /build-id is 09, the kernel's 3b43/,
    ],
    ["a vmlinux without a build-id", file("vmlinux", ET_EXEC, null), "SPW_DEBUGINFO_MISMATCH", /is missing/],
    [
      "another build of a module",
      file("vandal.ko", ET_REL, [9]),
      "SPW_DEBUGINFO_MISMATCH",
      /another build of module vandal/,
    ],
    ["a stripped file", file("vmlinux", ET_EXEC, [0x3b, 0x43], false), "SPW_DEBUGINFO_EMPTY", /no debug information/],
    ["no ELF file", new MemorySource(new Uint8Array(100), "vmlinuz"), "SPW_DEBUGINFO_UNSUPPORTED", /vmlinuz/],
  ])("%s is an error", (_what, source, code, message) => {
    expect(() => sortNamedFiles([source], facts().given)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test("a module that is not loaded is passed over, and said", () => {
    const { given, said } = facts();
    expect(sortNamedFiles([file("ext4.ko", ET_REL, [7]), vandal], given).modules.size).toBe(1);
    expect(said).toEqual([expect.stringContaining("no module ext4 is loaded")]);
  });

  test("what cannot be checked is taken on trust, and said", () => {
    const { given, said } = facts({ buildId: () => null });
    const module = file("snd-hda-intel.ko.debug", ET_REL, [7]);
    const named = sortNamedFiles([vmlinux, module], given);
    expect(named.kernel).toBe(vmlinux);
    expect(named.modules.get("snd_hda_intel")).toBe(module);
    expect(said).toEqual([expect.stringContaining("on trust"), expect.stringContaining("on trust")]);
  });
});

test.each([
  ["/lib/modules/6.1/kernel/fs/ext4/ext4.ko", "ext4"],
  ["snd-hda-intel.ko.debug", "snd_hda_intel"],
  ["nf_nat.ko.xz", "nf_nat"],
  ["3b/43fa.debug", "43fa.debug"],
])("%s is module %s", (path, name) => expect(moduleNameOf(path)).toBe(name));
