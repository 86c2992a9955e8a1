import fc from "fast-check";
import { expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { SpillwayError } from "../errors.ts";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import type { Die } from "./dwarf/die.ts";
import { DwarfFile } from "./dwarf/dwarf-file.ts";
import { rangesOf } from "./dwarf/ranges.ts";
import { ElfFile } from "./elf/elf-file.ts";
import { sourceFrames } from "./source-frames.ts";
import { makeElfFile, relaEntries, symbolTable } from "./testing/make-elf-file.ts";
import { SAMPLE_TEXT, sampleDwarf } from "./testing/sample-dwarf.ts";

const sections = Object.entries(sampleDwarf()).map(([name, bytes]) => ({ name, bytes }));
const linked = makeElfFile([{ name: ".text", type: 8, flags: 6, address: SAMPLE_TEXT }, ...sections]);
const relocatable = makeElfFile(
  [
    { name: ".text", flags: 6, bytes: new Uint8Array(0x120) },
    { name: ".symtab", type: 2, bytes: symbolTable([[0, 3, 1, 0]]) },
    ...sections,
    { name: ".rela.debug_info", type: 4, link: 2, info: 3, bytes: relaEntries([[200, 1, 1, 0]]) },
  ],
  1,
);

/** Asks everything; what a damaged file is, is told by a SpillwayError or by a problem. */
function askAll(bytes: Uint8Array): void {
  const elf = new ElfFile(new MemorySource(bytes, "damaged"), { placement: () => SAMPLE_TEXT });
  elf.buildId();
  const file = new DwarfFile(elf);
  for (let at = -1; at < 0x130; at += 13) sourceFrames(file, signedAddress(SAMPLE_TEXT + BigInt(at)));
  let seen = 0;
  const visit = (die: Die, depth: number): void => {
    file.attempt(() => rangesOf(die));
    for (const { name } of die.attributes()) {
      file.attempt(() => [die.number(name), die.string(name), die.address(name), die.block(name)]);
      file.attempt(() => [die.reference(name)?.tag, die.sectionOffset(name), die.bigint(name), die.flag(name)]);
    }
    for (const child of die.children()) if (seen++ < 200 && depth < 20) visit(child, depth + 1);
  };
  for (const unit of file.units()) file.attempt(() => visit(unit.root, 0));
}

const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom(1, 1, 2, 4, 8));

test.each([
  ["a linked file", linked],
  ["a relocatable file", relocatable],
])("%s with any damage throws nothing but a SpillwayError", (_what, whole) => {
  fc.assert(
    fc.property(
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat(whole.length)),
      (mutations, cut) => {
        const bytes = whole.slice(0, cut ?? whole.length);
        for (const [place, value, width] of mutations)
          bytes.fill(value, place % (whole.length + 1), (place % (whole.length + 1)) + width);
        try {
          askAll(bytes);
        } catch (error) {
          if (!(error instanceof SpillwayError)) throw error;
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test("undamaged, both answer", () => {
  for (const bytes of [linked, relocatable]) {
    const file = new DwarfFile(new ElfFile(new MemorySource(bytes, "whole"), { placement: () => 0n }));
    expect(sourceFrames(file, signedAddress(SAMPLE_TEXT + 0x50n))).toHaveLength(3);
    expect(file.problems).toEqual([]);
  }
});
