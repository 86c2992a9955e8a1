/** Modules in a fake kernel's memory, by the layouts that kernels have had. For tests. */
import { bytesOf64 } from "../../memory/testing/fake-machine.ts";
import type { CType, MemberLocation, TypeProvider } from "../../types/type-provider.ts";
import { type FakeKernel, fakeKernel, plainSymbols } from "./fake-kernel-image.ts";

export interface FakeModuleSymbol {
  readonly name: string;
  /** Offset from the module's base. */
  readonly offset: number;
  readonly size: number;
  readonly letter: string;
  readonly global?: boolean;
  /** st_shndx; 1 unless given. */
  readonly section?: number;
}

export interface FakeModule {
  readonly name: string;
  readonly state?: number;
  readonly taints?: bigint;
  readonly symbols: readonly FakeModuleSymbol[];
}

/** Which release's `struct module`: where the areas and the symbols are, and where the type letters. */
export type ModuleLayout = "6.4" | "5.2" | "5.0" | "4.5" | "3.10";

const U64: CType = { kind: "int", name: "unsigned long", size: 8, signed: false };

/** Members as `struct.path` -> byte offset; sizes do not matter to the reader. */
const COMMON = { "module.state": 0, "module.list": 8, "module.name": 24, "module.taints": 0x60 };
const KALLSYMS = {
  "module.kallsyms": 0x100,
  "module.core_kallsyms": 0x108,
  "mod_kallsyms.symtab": 0,
  "mod_kallsyms.num_symtab": 8,
  "mod_kallsyms.strtab": 16,
};
const CORE_LAYOUT = {
  "module.core_layout": 0x80,
  "module.core_layout.base": 0x80,
  "module.core_layout.size": 0x88,
  "module.core_layout.text_size": 0x8c,
  "module.init_layout.base": 0xa0,
  "module.init_layout.size": 0xa8,
  "module.init_layout.text_size": 0xac,
};
const MEMBERS: Record<ModuleLayout, Record<string, number>> = {
  "6.4": {
    ...COMMON,
    ...KALLSYMS,
    "mod_kallsyms.typetab": 24,
    "module.mem": 0x80,
    "module_memory.base": 0,
    "module_memory.size": 8,
  },
  "5.2": { ...COMMON, ...KALLSYMS, ...CORE_LAYOUT, "mod_kallsyms.typetab": 24 },
  "5.0": { ...COMMON, ...KALLSYMS, ...CORE_LAYOUT },
  "4.5": { ...COMMON, ...KALLSYMS, ...CORE_LAYOUT },
  "3.10": {
    ...COMMON,
    "module.module_core": 0x80,
    "module.core_size": 0x88,
    "module.core_text_size": 0x8c,
    "module.module_init": 0xa0,
    "module.init_size": 0xa8,
    "module.init_text_size": 0xac,
    "module.symtab": 0x108,
    "module.num_symtab": 0x110,
    "module.strtab": 0x118,
  },
};

/** Just what the readers of modules ask for. */
export function moduleTypes(layout: ModuleLayout): TypeProvider {
  const member = (struct: string, path: string): MemberLocation | null => {
    const offset = MEMBERS[layout][`${struct}.${path}`];
    if (offset === undefined) return null;
    const type: CType = path === "mem" ? { kind: "array", size: 7 * 16, length: 7, element: U64 } : U64;
    return { offset, size: 8, bitOffset: offset * 8, bitSize: null, type };
  };
  return {
    structOrUnion: () => null,
    typedef: () => null,
    enumeration: () => null,
    enumerator: (name) => (name === "MOD_TEXT" ? 0n : name === "MOD_INIT_TEXT" ? 4n : null),
    enumOf: () => null,
    func: () => null,
    variable: () => null,
    member,
    sizeOf: (struct) => (struct === "module_memory" ? 16 : null),
  };
}

export const MODULES_START = 0xffffffffc0000000n;
/** Each module: text page, data page, page of `struct module`, pages of symbols and strings, init text page. */
const MODULE_STRIDE = 0x10000n;
const AREA = {
  text: 0n,
  data: 0x1000n,
  struct: 0x2000n,
  symtab: 0x3000n,
  strtab: 0x5000n,
  types: 0x7000n,
  init: 0x8000n,
};

export function moduleBase(index: number): bigint {
  return MODULES_START + BigInt(index) * MODULE_STRIDE;
}

/** A kernel whose `modules` list holds these; a module's last page of text is for init. */
export function kernelWithModules(modules: readonly FakeModule[], layout: ModuleLayout): FakeKernel {
  const kernel = fakeKernel((text) => [
    ...plainSymbols(text, 300),
    { name: "modules", type: "d", address: text + 0x500000n },
  ]);
  const head = kernel.text + 0x500000n;
  const members = MEMBERS[layout];
  modules.forEach((module, index) => {
    const base = moduleBase(index);
    const physical = 0x8000000n + BigInt(index) * MODULE_STRIDE;
    for (let at = 0n; at < 0x9000n; at += 0x1000n) {
      kernel.tables.map(base + at, physical + at);
      kernel.memory.frame(Number((physical + at) >> 12n));
    }
    const write = (at: bigint, bytes: Uint8Array) => kernel.memory.write(Number(physical + at), bytes);
    const field = (name: string, value: bigint, length = 8) => {
      const offset = members[`module.${name}`];
      if (offset !== undefined) write(AREA.struct + BigInt(offset), bytesOf64(value).subarray(0, length));
    };
    const next = index + 1 < modules.length ? moduleBase(index + 1) + AREA.struct + 8n : head;
    field("list", next);
    field("state", BigInt(module.state ?? 0), 4);
    field("taints", module.taints ?? 0n);
    write(AREA.struct + 24n, ascii(module.name));
    if (layout === "6.4") {
      for (const [kind, at] of [
        [0n, AREA.text],
        [1n, AREA.data],
        [4n, AREA.init],
      ] as const) {
        write(AREA.struct + 0x80n + kind * 16n, bytesOf64(base + at));
        write(AREA.struct + 0x88n + kind * 16n, bytesOf64(0x1000n));
      }
    } else {
      for (const [at, start, size] of [
        [0x80n, AREA.text, 0x2000n],
        [0xa0n, AREA.init, 0x1000n],
      ] as const) {
        write(AREA.struct + at, bytesOf64(base + start));
        write(AREA.struct + at + 8n, bytesOf64(size | (0x1000n << 32n)));
      }
    }
    field("kallsyms", base + AREA.struct + 0x108n);
    for (const [at, value] of [
      [0x108n, base + AREA.symtab],
      [0x110n, BigInt(module.symbols.length + 1)],
      [0x118n, base + AREA.strtab],
      [0x120n, base + AREA.types],
    ] as const) {
      write(AREA.struct + at, bytesOf64(value));
    }
    writeSymbols(module.symbols, layout, base, write);
  });
  const first = modules.length > 0 ? moduleBase(0) + AREA.struct + 8n : head;
  kernel.write(head, bytesOf64(first));
  return kernel;
}

function writeSymbols(
  symbols: readonly FakeModuleSymbol[],
  layout: ModuleLayout,
  base: bigint,
  write: (at: bigint, bytes: Uint8Array) => void,
): void {
  let strings = "\0";
  const letters = [layout === "4.5" || layout === "3.10" || layout === "5.0" ? "?" : "\0"];
  // The null symbol that every ELF table begins with; the kernel gives it a letter like all others.
  const null_ = new Uint8Array(24);
  if (layout === "5.0") null_[16] = 0x3f;
  if (layout === "4.5" || layout === "3.10") null_[4] = 0x3f;
  write(AREA.symtab, null_);
  symbols.forEach((symbol, i) => {
    const entry = new Uint8Array(24);
    const view = new DataView(entry.buffer);
    view.setUint32(0, strings.length, true);
    entry[4] = (symbol.global === true ? 0x10 : 0) | 2;
    view.setUint16(6, symbol.section ?? 1, true);
    view.setBigUint64(8, base + BigInt(symbol.offset), true);
    view.setBigUint64(16, BigInt(symbol.size), true);
    const letter = symbol.letter.charCodeAt(0);
    if (layout === "4.5" || layout === "3.10") entry[4] = letter;
    if (layout === "5.0") view.setBigUint64(16, BigInt(letter), true);
    write(AREA.symtab + BigInt(24 * (i + 1)), entry);
    letters.push(symbol.letter);
    strings += `${symbol.name}\0`;
  });
  write(AREA.strtab, ascii(strings));
  write(AREA.types, ascii(letters.join("")));
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
