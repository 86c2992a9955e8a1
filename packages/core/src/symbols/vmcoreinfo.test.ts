import { describe, expect, it } from "vitest";
import {
  parseVmcoreinfo,
  vmcoreKaslrOffset,
  vmcoreLength,
  vmcoreNumber,
  vmcoreOffset,
  vmcoreSize,
  vmcoreSymbol,
} from "./vmcoreinfo.ts";

const INFO = parseVmcoreinfo(
  [
    "OSRELEASE=6.1.0-56-cloud-amd64",
    "SYMBOL(_stext)=ffffffffad000000",
    "SYMBOL(gone)=0",
    "SYMBOL(broken)=xyz",
    "NUMBER(phys_base)=-551550976",
    "NUMBER(VMALLOC_START)=0xff3ad949c0000000",
    "NUMBER(broken)=12monkeys",
    "OFFSET(page.flags)=0",
    "OFFSET(broken)=-1",
    "SIZE(page)=64",
    "LENGTH(mem_section)=2048",
    "KERNELOFFSET=2c000000",
    "  SPACED = out ",
    "no equals sign",
    "=no key",
    "A=first",
    "A=a=b",
    "",
  ].join("\n"),
);

describe("VMCOREINFO", () => {
  it.each([
    ["OSRELEASE", "6.1.0-56-cloud-amd64"],
    ["SPACED", "out"],
    ["A", "a=b"],
    ["no equals sign", undefined],
    ["", undefined],
  ])("%s is %s", (key, value) => {
    expect(INFO.get(key)).toBe(value);
  });

  it.each<[string, (info: typeof INFO, name: string) => bigint | number | null, bigint | number | null]>([
    ["_stext", vmcoreSymbol, 0xffffffffad000000n],
    ["gone", vmcoreSymbol, null],
    ["broken", vmcoreSymbol, null],
    ["missing", vmcoreSymbol, null],
    ["phys_base", vmcoreNumber, -551550976n],
    ["VMALLOC_START", vmcoreNumber, 0xff3ad949c0000000n],
    ["broken", vmcoreNumber, null],
    ["page.flags", vmcoreOffset, 0],
    ["broken", vmcoreOffset, null],
    ["page", vmcoreSize, 64],
    ["mem_section", vmcoreLength, 2048],
    ["missing", vmcoreLength, null],
  ])("%s", (name, read, value) => {
    expect(read(INFO, name)).toBe(value);
  });

  it("reads KERNELOFFSET", () => {
    expect(vmcoreKaslrOffset(INFO)).toBe(0x2c000000n);
    expect(vmcoreKaslrOffset(new Map())).toBeNull();
  });

  it("ends at a NUL and takes null for nothing", () => {
    expect([...parseVmcoreinfo("A=1\n\0B=2\n").keys()]).toEqual(["A"]);
    expect(parseVmcoreinfo(null).size).toBe(0);
  });
});
