import { describe, expect, test } from "vitest";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import { sourceFrames } from "./source-frames.ts";
import { dwarfFile } from "./testing/make-dwarf.ts";
import { SAMPLE_TEXT, sampleDwarf } from "./testing/sample-dwarf.ts";

const at = (offset: number, sections = sampleDwarf()) =>
  sourceFrames(dwarfFile(sections), signedAddress(SAMPLE_TEXT + BigInt(offset))).map(
    ({ function: name, inlined, location }) =>
      `${name ?? "?"}${inlined ? " inlined" : ""} ${location?.file}:${location?.line}`,
  );

describe("functions of the source at an address", () => {
  test.each([
    ["in the function's own code", 0x20, ["vfs_write fs/read_write.c:532"]],
    ["in an inlined function", 0x45, ["access_ok inlined fs/read_write.c:569", "vfs_write fs/read_write.c:572"]],
    [
      "in one that was inlined into that",
      0x50,
      [
        "valid inlined fs/read_write.c:580",
        "access_ok inlined include/access_ok.h:33",
        "vfs_write fs/read_write.c:572",
      ],
    ],
    ["behind it again", 0x58, ["access_ok inlined fs/read_write.c:588", "vfs_write fs/read_write.c:572"]],
    ["outside what .debug_aranges says, within the unit's ranges", 0x110, ["cold fs/read_write.c:772"]],
    ["outside the unit", 0x120, []],
    ["before it", -1, []],
  ])("%s", (_what, offset, expected) => {
    // An address that .debug_aranges does not know makes units be looked through that it does not name: leave it away for that.
    const { ".debug_aranges": aranges, ...rest } = sampleDwarf();
    expect(at(offset, offset === 0x110 ? rest : { ...rest, ".debug_aranges": aranges! })).toEqual(expected);
  });

  test("without .debug_aranges, all the same", () => {
    const { ".debug_aranges": _, ...rest } = sampleDwarf();
    for (const offset of [-1, 0x20, 0x50, 0x120]) expect(at(offset, rest)).toEqual(at(offset));
  });

  test("where each function is defined", () => {
    const frames = sourceFrames(dwarfFile(sampleDwarf()), signedAddress(SAMPLE_TEXT + 0x50n));
    expect(frames.map(({ declared }) => `${declared?.file}:${declared?.line}`)).toEqual([
      "include/access_ok.h:90",
      "include/access_ok.h:25",
      "fs/read_write.c:564",
    ]);
  });

  test("without a line table there are names still", () => {
    const { ".debug_line": _, ...rest } = sampleDwarf();
    const frames = sourceFrames(dwarfFile(rest), signedAddress(SAMPLE_TEXT + 0x50n));
    expect(frames.map((frame) => [frame.function, frame.location])).toEqual([
      ["valid", null],
      ["access_ok", null],
      ["vfs_write", null],
    ]);
  });
});
