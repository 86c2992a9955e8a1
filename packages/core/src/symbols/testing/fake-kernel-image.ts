/** A kernel image in memory with page tables: text, read-only data with kallsyms, data. For tests. */

import type { PagingLevels } from "../../memory/page-table.ts";
import { PagedAddressSpace } from "../../memory/paged-address-space.ts";
import { EXECUTE, FakeMemory, FakePageTables, READ_ONLY, READ_WRITE } from "../../memory/testing/fake-machine.ts";
import { type EncodedKallsyms, type EncodeOptions, encodeKallsyms, type PlainSymbol } from "./kallsyms-encoder.ts";

export interface FakeKernel {
  readonly memory: FakeMemory;
  readonly tables: FakePageTables;
  readonly space: PagedAddressSpace;
  readonly kallsyms: EncodedKallsyms;
  /** VMCOREINFO's keys for kallsyms and `_stext`. */
  readonly vmcoreinfo: Map<string, string>;
  /** Of the text, 2 MiB; read-only data and data follow, each on 2 MiB of their own. */
  readonly text: bigint;
  readonly rodata: bigint;
  readonly data: bigint;
  /** physical = virtual - 0xffffffff80000000 + physBase. */
  readonly physBase: bigint;
  /** Writes into the image by virtual address. */
  write(virtual: bigint, bytes: Uint8Array): void;
}

export const SLOT = 0x200000n;

/** swapper_pg_dir lies at `data`, its further tables behind it; kallsyms at `rodata` + 0x3018. */
export function fakeKernel(
  symbols: (text: bigint) => readonly PlainSymbol[],
  options: Partial<EncodeOptions> & { readonly levels?: PagingLevels; readonly kaslr?: bigint } = {},
): FakeKernel {
  const text = 0xffffffff81000000n + (options.kaslr ?? 0x2000000n);
  const rodata = text + SLOT;
  const data = rodata + SLOT;
  const physical = 0x4000000n;
  const physBase = physical - (text - 0xffffffff80000000n);
  const memory = new FakeMemory(0x40000);
  const offset = (virtual: bigint) => Number(virtual - 0xffffffff80000000n + physBase);
  const root = offset(data) / 4096;
  const tables = new FakePageTables(memory, root, options.levels ?? 4);
  tables.map(text, physical, "2M", EXECUTE);
  for (let at = 0n; at < SLOT; at += 0x1000n) tables.map(rodata + at, physical + SLOT + at, "4K", READ_ONLY);
  tables.map(data, physical + 2n * SLOT, "2M", READ_WRITE);
  // Fixmap (entry 511 of level3_kernel_pgt) and the direct map, which the kernel's own table always has.
  tables.map(0xffffffffff5fe000n, 0x1000n);
  tables.map(options.levels === 5 ? 0xff11000000000000n : 0xffff888000000000n, 0n, "1G");

  const kallsyms = encodeKallsyms(symbols(text), {
    encoding: "absolute-percpu",
    order: "before",
    longLengths: true,
    markerWidth: 4,
    at: rodata + 0x3018n,
    ...options,
  });
  const write = (virtual: bigint, bytes: Uint8Array) => memory.write(offset(virtual), bytes);
  write(rodata + 0x3018n, kallsyms.bytes);
  const vmcoreinfo = new Map<string, string>();
  for (const [name, address] of Object.entries(kallsyms.symbols))
    vmcoreinfo.set(`SYMBOL(${name})`, address.toString(16));
  vmcoreinfo.set("SYMBOL(_stext)", text.toString(16));
  const space = new PagedAddressSpace(memory, BigInt(root) << 12n, options.levels ?? 4);
  return { memory, tables, space, kallsyms, vmcoreinfo, text, rodata, data, physBase, write };
}

/** `count` functions of 16 bytes from `_stext` on, with names of all sorts, between per-CPU symbols and `_etext`. */
export function plainSymbols(text: bigint, count: number, perCpu = true): PlainSymbol[] {
  const symbols: PlainSymbol[] = perCpu
    ? [
        { name: "fixed_percpu_data", type: "A", address: 0n },
        { name: "hardirq_stack_ptr", type: "A", address: 0x1c3f0n },
      ]
    : [];
  symbols.push({ name: "_stext", type: "T", address: text });
  for (let i = 0; i < count; i++) {
    const name = `${["do_", "sys_", "init_", "kall", "x"][i % 5]}f${i}${i % 97 === 0 ? `_${"quite_long".repeat(14)}` : ""}`;
    symbols.push({ name, type: i % 3 === 0 ? "T" : "t", address: text + BigInt(16 + i * 16) });
  }
  symbols.push({ name: "_etext", type: "T", address: text + BigInt(16 + count * 16) });
  return symbols;
}
