import { describe, expect, it } from "vitest";
import type { SpillwayError } from "../errors.ts";
import { openSymbols } from "../symbols/kernel-symbols.ts";
import { type FakeKernel, fakeKernel, plainSymbols } from "../symbols/testing/fake-kernel-image.ts";
import { locateKernel } from "./locate-kernel.ts";
import type { PagingLevels } from "./page-table.ts";
import { bytesOf64, cpuNote, FakeMemory, FakePageTables, fakeImage } from "./testing/fake-machine.ts";

const KASLR = 0x2000000n;
const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A kernel whose kallsyms knows `vmcoreinfo_data`, a pointer to a page of the direct map. */
function kernelWith(levels: PagingLevels, options: { readonly dataSymbols?: boolean } = {}) {
  const kernel = fakeKernel(
    (text) => [
      ...plainSymbols(text, 1200),
      ...(options.dataSymbols === false
        ? []
        : [
            { name: "init_top_pgt", type: "D", address: text + 0x400000n },
            { name: "vmcoreinfo_data", type: "B", address: text + 0x500000n },
          ]),
    ],
    { levels, kaslr: KASLR },
  );
  return { kernel, note: noteOf(kernel) };
}

function noteOf(kernel: FakeKernel): string {
  return [
    "OSRELEASE=6.1.0-test",
    "PAGESIZE=4096",
    `SYMBOL(swapper_pg_dir)=${kernel.data.toString(16)}`,
    ...[...kernel.vmcoreinfo].map(([key, value]) => `${key}=${value}`),
    `NUMBER(phys_base)=${kernel.physBase}`,
    `NUMBER(pgtable_l5_enabled)=${kernel.space.levels - 4}`,
    `KERNELOFFSET=${KASLR.toString(16)}`,
    "",
  ].join("\n");
}

const without = (note: string, key: string) => note.replace(new RegExp(`^${key}.*\n`, "m"), "");

describe.each<[PagingLevels]>([[4], [5]])("%i levels", (levels) => {
  /** What every way in must end with. */
  function check(kernel: FakeKernel, found: ReturnType<typeof locateKernel>): void {
    expect(found.levels).toBe(levels);
    expect(found.pgdPhysical).toBe(kernel.space.pgdPhysical);
    expect(found.physBase).toBe(kernel.physBase);
    expect(found.kaslrOffset).toBe(KASLR);
    expect(found.memory.u64(kernel.rodata)).toBe(kernel.space.u64(kernel.rodata));
  }

  it("by VMCOREINFO", () => {
    const { kernel, note } = kernelWith(levels);
    const found = locateKernel(fakeImage(kernel.memory, { vmcoreinfo: note }));
    check(kernel, found);
    expect(found.source).toBe("VMCOREINFO");
    expect(found.problems).toEqual([]);
    expect(found.vmcoreinfo.get("OSRELEASE")).toBe("6.1.0-test");
  });

  it.each(["NUMBER\\(pgtable_l5_enabled", "KERNELOFFSET"])("by VMCOREINFO without %s", (key) => {
    const { kernel, note } = kernelWith(levels);
    check(kernel, locateKernel(fakeImage(kernel.memory, { vmcoreinfo: without(note, key) })));
  });

  it("by VMCOREINFO without phys_base, through the file's own map", () => {
    const { kernel, note } = kernelWith(levels);
    const range = { virtual: kernel.text, physical: kernel.space.translate(kernel.text)!, length: 0x600000n };
    const image = fakeImage(kernel.memory, {
      vmcoreinfo: without(note, "NUMBER\\(phys_base"),
      virtualRanges: [{ virtual: 0xffff888000000000n, physical: 0n, length: 0x1000n }, range],
    });
    const found = locateKernel(image);
    check(kernel, found);
    expect(found.source).toMatch(/own map/);
  });

  it("by CR3 where phys_base is missing or wrong", () => {
    const { kernel, note } = kernelWith(levels);
    const cpuNotes = [cpuNote(kernel.space.pgdPhysical | 0x18n, levels)];
    for (const vmcoreinfo of [without(note, "NUMBER\\(phys_base"), note.replace(/phys_base\)=.*/, "phys_base)=4096")]) {
      const found = locateKernel(fakeImage(kernel.memory, { vmcoreinfo, cpuNotes }));
      check(kernel, found);
      expect(found.source).toMatch(/control registers/);
      expect(found.problems.join()).toMatch(/swapper_pg_dir/);
    }
  });

  it("by CR3 of a process, from which the kernel's own table is found", () => {
    const { kernel } = kernelWith(levels);
    const process = new FakePageTables(kernel.memory, 0x900, levels);
    kernel.memory.frame(0x900).set(kernel.memory.frame(Number(kernel.space.pgdPhysical >> 12n)));
    process.map(0x400000n, 0x20000000n);
    const found = locateKernel(fakeImage(kernel.memory, { cpuNotes: [cpuNote(0x900000n, levels)] }));
    check(kernel, found);
  });

  it("by CR3 of the user's half under page table isolation", () => {
    const { kernel } = kernelWith(levels);
    kernel.memory.frame(0x900).set(kernel.memory.frame(Number(kernel.space.pgdPhysical >> 12n)));
    // The user's half: the entry code and no more of the kernel.
    const user = new FakePageTables(kernel.memory, 0x901, levels, 0x910);
    user.map(kernel.text, kernel.space.translate(kernel.text)!, "2M", 1n);
    const found = locateKernel(fakeImage(kernel.memory, { cpuNotes: [cpuNote(0x901000n, levels)] }));
    check(kernel, found);
    expect(found.source).toMatch(/control registers/);
  });

  it("by a scan, and VMCOREINFO from the kernel's own copy", () => {
    const { kernel, note } = kernelWith(levels);
    const page = (levels === 5 ? 0xff11000000000000n : 0xffff888000000000n) + 0x77000n;
    kernel.memory.write(0x77000, ascii(note));
    kernel.write(kernel.text + 0x500000n, bytesOf64(page));
    const found = locateKernel(fakeImage(kernel.memory));
    check(kernel, found);
    expect(found.source).toMatch(/scan.*VMCOREINFO in memory/);
    expect(found.vmcoreinfoText).toBe(note);
    expect(found.problems).toEqual([]);
  });

  it("by a scan, and VMCOREINFO by another", () => {
    const { kernel, note } = kernelWith(levels, { dataSymbols: false });
    kernel.memory.write(0x77000, ascii(note));
    const found = locateKernel(fakeImage(kernel.memory));
    check(kernel, found);
    expect(found.vmcoreinfoText).toBe(note);
  });

  it("by a scan with no VMCOREINFO anywhere: symbols all the same", () => {
    const { kernel } = kernelWith(levels);
    const found = locateKernel(fakeImage(kernel.memory));
    check(kernel, found);
    expect(found.vmcoreinfoText).toBeNull();
    const symbols = openSymbols(found.memory, found.vmcoreinfo, null, { kallsyms: found.kallsyms });
    expect(symbols.byName("_stext")?.address).toBe(kernel.text);
  });
});

describe("no kernel", () => {
  const tried = (memory: FakeMemory, vmcoreinfo: string | null) => {
    try {
      locateKernel(fakeImage(memory, { vmcoreinfo, cpuNotes: [cpuNote(0x5000n, 4)] }));
    } catch (error) {
      const { code, facts } = error as SpillwayError;
      return { code, tried: (facts.tried as readonly string[]).join("; ") };
    }
    return null;
  };

  it("says what was tried", () => {
    const memory = new FakeMemory(0x1000);
    memory.frame(5);
    expect(tried(memory, null)).toEqual({
      code: "SPW_KERNEL_NOT_FOUND",
      tried:
        "the file has no VMCOREINFO; CR3 of 1 CPUs leads to no kernel image; " +
        "no page of memory looks like the kernel's top page table",
    });
  });

  it("names the page that is missing", () => {
    const { kernel, note } = kernelWith(4);
    kernel.memory.lose(Number(kernel.space.pgdPhysical >> 12n), "excluded");
    expect(tried(kernel.memory, note)?.tried).toMatch(/physical 0x4400000, 4 levels, is excluded/);
  });

  it("does not take a page of entries that lead nowhere for a table", () => {
    const memory = new FakeMemory(0x1000);
    for (let pfn = 1; pfn < 64; pfn++) {
      for (let i = 256; i < 512; i++) memory.write64(pfn * 4096 + i * 8, (BigInt((pfn * 7 + i) % 64) << 12n) | 0x63n);
    }
    expect(tried(memory, null)?.code).toBe("SPW_KERNEL_NOT_FOUND");
  });
});
