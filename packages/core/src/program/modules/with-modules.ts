import type { ModuleImage } from "../../debuginfo/module-sections.ts";
import { signedAddress } from "../../symbols/kallsyms-addresses.ts";
import { ModuleTable } from "../../symbols/module-table.ts";
import type { FunctionRange, KernelModule, KernelSymbol, SymbolAt, SymbolTable } from "../../symbols/symbol-table.ts";
import { BtfProvider, openBtf } from "../../types/btf.ts";
import type { TypeProvider } from "../../types/type-provider.ts";
import type { OrcTable } from "../../unwind/orc.ts";
import { OrcSection } from "../../unwind/orc-section.ts";
import { readAlternatives } from "../alternatives.ts";
import { byAddress } from "../kernel-areas.ts";
import type { Alternative, Program, ProgramArea, ProgramSource, RelocationColumns } from "../program.ts";
import { LayeredSpace, SegmentSpace } from "../segment-space.ts";
import type { Unpackers } from "../unpack.ts";
import { type ModuleSource, type PlacedModule, type PlacedModules, placeModules } from "./place-modules.ts";

/** The program with modules beside it, as the kernel would load them; those that it has loaded already stay as they are. */
export function withModules(program: Program, sources: Iterable<ModuleSource>, unpackers?: Unpackers): Program {
  const problems: string[] = [];
  const placed = placeModules(sources, {
    symbols: program.symbols,
    problem: (text) => problems.push(text),
    ...(unpackers === undefined ? {} : { unpackers }),
  });
  const strangers = placed.modules.filter(({ release }) => release !== null && release !== program.release);
  if (strangers.length > 0) {
    const which = strangers.length === 1 ? "1 module was" : `${strangers.length} modules were`;
    problems.push(`${which} built for ${strangers[0]!.release}, and the kernel is ${program.release ?? "not known"}`);
  }
  return placed.modules.length === 0 && problems.length === 0 ? program : new ModularProgram(program, placed, problems);
}

class ModularProgram implements Program {
  readonly source: ProgramSource;
  readonly name: string;
  readonly memory: LayeredSpace;
  readonly symbols: SymbolTable;
  readonly #base: Program;
  readonly #placed: PlacedModules;
  readonly #space: SegmentSpace;
  readonly #problems: string[];
  readonly #types = new Map<string, TypeProvider>();
  readonly #images: ReadonlyMap<string, ModuleImage>;
  readonly #memo = new Map<string, unknown>();

  constructor(base: Program, placed: PlacedModules, problems: string[]) {
    this.source = base.source;
    this.name = base.name;
    this.#base = base;
    this.#placed = placed;
    this.#problems = problems;
    this.#images = new Map(placed.modules.map(({ layout, image }) => [layout.module.name, image]));
    const segments = placed.modules.map(({ layout }) => ({ start: layout.module.base, bytes: layout.bytes }));
    this.#space = new SegmentSpace(segments);
    const first = segments[0]?.start ?? 0n;
    const last = segments.at(-1);
    const end = last === undefined ? 0n : last.start + BigInt(last.bytes.length);
    this.memory = new LayeredSpace(this.#space, first, end, base.memory);
    this.symbols = new LayeredSymbols(base.symbols, placed.modules, first, end);
  }

  #once<T>(key: string, make: () => T): T {
    if (!this.#memo.has(key)) this.#memo.set(key, make());
    return this.#memo.get(key) as T;
  }

  get release(): string | null {
    return this.#base.release;
  }

  get types(): TypeProvider {
    return this.#base.types;
  }

  get threadSize(): number {
    return this.#base.threadSize;
  }

  get problems(): readonly string[] {
    return [...this.#base.problems, ...this.#problems];
  }

  moduleTypes(name: string): TypeProvider {
    let types = this.#types.get(name);
    if (types === undefined) {
      const own = this.#placed.modules.find(({ layout }) => layout.module.name === name);
      types = own === undefined ? this.#base.moduleTypes(name) : this.#placedTypes(own);
      this.#types.set(name, types);
    }
    return types;
  }

  moduleImage(name: string): ModuleImage | null {
    return this.#images.get(name) ?? this.#base.moduleImage(name);
  }

  /** Split types continue the kernel's, if it is the kernel that they were made for; others bring what they rest on. */
  #placedTypes({ btf, btfBase, release, layout }: PlacedModule): TypeProvider {
    const { types } = this.#base;
    if (btf === null || !(types instanceof BtfProvider)) return types;
    if (btfBase === null && release !== this.release) return types;
    try {
      const own = openBtf(btf, btfBase === null ? types : openBtf(btfBase));
      if (own.index.unreadBytes > 0) {
        this.#problems.push(`module ${layout.module.name}: the end of its type information (BTF) cannot be read`);
      }
      return own;
    } catch {
      this.#problems.push(`module ${layout.module.name}: its type information (BTF) cannot be read`);
      return types;
    }
  }

  get orc(): OrcTable | null {
    return this.#once("orc", () => {
      const sections = new Map<PlacedModule, OrcSection | null>();
      const at = finder(this.#placed.modules);
      const placed = (pc: bigint) => {
        const module = at(signedAddress(pc));
        if (module === null) return undefined;
        let section = sections.get(module);
        if (section === undefined) {
          const { orc } = module;
          section = orc === null ? null : new OrcSection(this.#space, orc.ip, orc.orc, orc.count);
          sections.set(module, section);
        }
        return section;
      };
      return this.#base.orc?.withPlaced?.(placed) ?? null;
    });
  }

  get text(): readonly ProgramArea[] {
    return this.#once("text", () => byAddress([...this.#base.text, ...this.#areas(true)]));
  }

  get data(): readonly ProgramArea[] {
    return this.#once("data", () => byAddress([...this.#base.data, ...this.#areas(false)]));
  }

  #areas(text: boolean): ProgramArea[] {
    return this.#placed.modules.flatMap(({ layout }) =>
      layout.areas.filter(({ section }) => section.endsWith(".text") === text),
    );
  }

  get alternatives(): readonly Alternative[] {
    return this.#once("alternatives", () => {
      const found = [...this.#base.alternatives];
      for (const { alternatives, layout } of this.#placed.modules) {
        if (alternatives === null) continue;
        const own = readAlternatives(this.#space, alternatives.start, alternatives.end);
        if (own === null)
          this.#problems.push(`module ${layout.module.name}: its alternative instructions cannot be read`);
        else found.push(...own);
      }
      return found;
    });
  }

  /** Only where the kernel's are known, too: half of them would pass for all. */
  get relocations(): RelocationColumns | null {
    return this.#once("relocations", () => {
      const kernel = this.#base.relocations;
      if (kernel === null) return null;
      const modules = this.#placed.relocations.columns(this.#space);
      return merge(kernel, modules);
    });
  }
}

/** Both ascend; what lies at 0 and up (per-CPU data) comes behind the modules. */
function merge(a: RelocationColumns, b: RelocationColumns): RelocationColumns {
  const count = a.count + b.count;
  const place = new Int32Array(count);
  const target = new Int32Array(count);
  for (let i = 0, j = 0, n = 0; n < count; n++) {
    const first = j === b.count || (i < a.count && (a.place[i] as number) < (b.place[j] as number));
    const from = first ? a : b;
    const at = first ? i++ : j++;
    place[n] = from.place[at] as number;
    target[n] = from.target[at] as number;
  }
  return { count, place, target };
}

/** Which module a signed address is in. */
function finder(modules: readonly PlacedModule[]): (address: number) => PlacedModule | null {
  return (address) => {
    let low = 0;
    let high = modules.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((modules[middle] as PlacedModule).layout.base <= address) low = middle + 1;
      else high = middle;
    }
    const found = modules[low - 1];
    return found !== undefined && address < found.layout.base + found.layout.bytes.length ? found : null;
  };
}

/** The symbols of a kernel, and of modules beside it from `start` to `end`. */
class LayeredSymbols implements SymbolTable {
  readonly modules: readonly KernelModule[];
  readonly #base: SymbolTable;
  readonly #placed: ModuleTable;
  readonly #start: bigint;
  readonly #end: bigint;

  constructor(base: SymbolTable, placed: readonly PlacedModule[], start: bigint, end: bigint) {
    this.#base = base;
    this.#placed = new ModuleTable(
      placed.map(({ layout, symbols }) => ({ module: layout.module, read: () => symbols })),
    );
    this.#start = start;
    this.#end = end;
    this.modules = [...base.modules, ...this.#placed.modules];
  }

  #isPlaced(address: bigint): boolean {
    return address >= this.#start && address < this.#end;
  }

  byName(name: string, module?: string | null): KernelSymbol | null {
    const found = this.#base.byName(name, module);
    return found !== null || module === null ? found : this.#placed.byName(name, module);
  }

  allByName(name: string): readonly KernelSymbol[] {
    return [...this.#base.allByName(name), ...this.#placed.allByName(name)];
  }

  byAddress(address: bigint): SymbolAt | null {
    return this.#isPlaced(address) ? this.#placed.byAddress(signedAddress(address)) : this.#base.byAddress(address);
  }

  functionAt(address: bigint): FunctionRange | null {
    return this.#isPlaced(address) ? this.#placed.functionAt(signedAddress(address)) : this.#base.functionAt(address);
  }

  isText(address: bigint): boolean {
    return this.#isPlaced(address) ? this.#placed.isText(signedAddress(address)) : this.#base.isText(address);
  }

  *all(): Iterable<KernelSymbol> {
    yield* this.#base.all();
    yield* this.#placed.all();
  }
}
