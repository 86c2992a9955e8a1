import { openKernelTypes } from "../kernel/kernel-types.ts";
import { threadSize } from "../kernel/thread-size.ts";
import { readBanner, readUtsname } from "../kernel/utsname.ts";
import { KernelSymbols } from "../symbols/kernel-symbols.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { OrcTable } from "../unwind/orc.ts";
import type { OrcDisorder } from "../unwind/orc-section.ts";
import { openLinkedOrc } from "../unwind/orc-table.ts";
import { readAlternatives } from "./alternatives.ts";
import type { ElfImage } from "./elf-image.ts";
import { readImageSymbols } from "./image-symbols.ts";
import { byAddress, kernelData, kernelText } from "./kernel-areas.ts";
import type { Alternative, Program, ProgramArea, ProgramSource, RelocationColumns } from "./program.ts";
import { bootRelocations, imageRelocations } from "./relocations.ts";
import { SegmentSpace } from "./segment-space.ts";

/** More than any kernel's per-CPU data. */
const LARGEST_PER_CPU = 1n << 24n;

/** A kernel that is a file: as it was linked, before it has run. */
export class ImageProgram implements Program {
  readonly source: ProgramSource;
  readonly name: string;
  readonly memory: SegmentSpace;
  readonly symbols: SymbolTable;
  readonly #image: ElfImage;
  readonly #behind: Uint8Array | null;
  readonly #problems: string[];
  readonly #memo = new Map<string, unknown>();

  /** @param behind what follows the ELF file in a boot image; null for a vmlinux */
  constructor(source: Extract<ProgramSource, "vmlinux" | "vmlinuz">, image: ElfImage, behind: Uint8Array | null) {
    this.source = source;
    this.name = image.source.name;
    this.#image = image;
    this.#behind = behind;
    this.#problems = [...image.problems];
    const space = new SegmentSpace(image.segments);
    this.memory = space;
    const symbols = readImageSymbols(image, space);
    if (symbols === null)
      this.#problem("the kernel has neither kallsyms nor a symbol table, so its functions have no names");
    this.symbols = new KernelSymbols(space, symbols, () => this.types);
  }

  #problem(text: string): void {
    if (!this.#problems.includes(text)) this.#problems.push(text);
  }

  #once<T>(key: string, make: () => T): T {
    if (!this.#memo.has(key)) this.#memo.set(key, make());
    return this.#memo.get(key) as T;
  }

  get #context() {
    const { memory, symbols } = this;
    const vmcoreinfo: ReadonlyMap<string, string> = new Map();
    return { memory, symbols, vmcoreinfo, problem: (text: string) => this.#problem(text) };
  }

  get problems(): readonly string[] {
    return [...this.#problems];
  }

  get release(): string | null {
    return this.#once("release", () => {
      const fromBanner = /^Linux version (\S+)/.exec(readBanner(this.#context))?.[1];
      return (readUtsname(this.#context)?.release || fromBanner) ?? null;
    });
  }

  get types(): TypeProvider {
    return this.#once("types", () => openKernelTypes(this.#context));
  }

  /** There are no modules in an image. */
  moduleTypes(): TypeProvider {
    return this.types;
  }

  moduleImage(): null {
    return null;
  }

  get orc(): OrcTable | null {
    return this.#once("orc", () => {
      const orc = openLinkedOrc(this.memory, this.symbols, (found) => this.#problem(disorderOf(found)));
      if (orc === null) {
        const isThere = this.symbols.byName("__start_orc_unwind", null) !== null;
        const what = isThere ? "the kernel's ORC unwind tables cannot be read" : "the kernel has no ORC unwind tables";
        this.#problem(`${what}: frames are told by its code alone`);
      }
      return orc;
    });
  }

  get text(): readonly ProgramArea[] {
    return this.#once("text", () => {
      const areas = kernelText(this.symbols, true);
      if (areas.length === 0) this.#problem("where the kernel's code begins and ends is not known");
      return areas;
    });
  }

  get data(): readonly ProgramArea[] {
    return this.#once("data", () => {
      const areas = kernelData(this.symbols, false);
      if (areas.length === 0) this.#problem("where the kernel's data begins and ends is not known");
      return byAddress([...this.#perCpu(), ...this.#initData(), ...areas]);
    });
  }

  /** The initial per-CPU data: at 0 up to 6.14, among the image's sections since (9d7de2aa8b41, 6.15). */
  #perCpu(): ProgramArea[] {
    const start = this.symbols.byName("__per_cpu_start", null)?.address;
    const end = this.symbols.byName("__per_cpu_end", null)?.address;
    if (start === undefined || end === undefined || end <= start || end - start > LARGEST_PER_CPU) return [];
    return [{ start, end, module: null, section: ".data..percpu", init: false }];
  }

  /** `.init.data` begins on the page behind `.init.text` and ends, with all that is given back, at `__init_end`. */
  #initData(): ProgramArea[] {
    const text = this.symbols.byName("_einittext", null)?.address;
    const end = this.symbols.byName("__init_end", null)?.address;
    const start = text === undefined ? undefined : (text + 0xfffn) & ~0xfffn;
    if (start === undefined || end === undefined || end <= start || end - start > 1n << 26n) return [];
    return [{ start, end, module: null, section: ".init.data", init: true }];
  }

  get alternatives(): readonly Alternative[] {
    return this.#once("alternatives", () => {
      const start = this.symbols.byName("__alt_instructions", null)?.address;
      const end = this.symbols.byName("__alt_instructions_end", null)?.address;
      const found = start === undefined || end === undefined ? null : readAlternatives(this.memory, start, end);
      if (found === null) this.#problem("the table of alternative instructions cannot be read");
      return found ?? [];
    });
  }

  get relocations(): RelocationColumns | null {
    return this.#once("relocations", () => {
      const list =
        this.#behind === null
          ? imageRelocations(this.#image)
          : bootRelocations(this.#behind, this.#image.segments, this.memory);
      // Kernels that cannot be moved have nothing behind them.
      if (list === null && this.#behind !== null && this.#behind.length > 0) {
        this.#problem("the kernel's relocations cannot be read: what points at code is told by its value alone");
      }
      return list === null ? null : list.columns(this.memory);
    });
  }

  get threadSize(): number {
    return this.#once("threadSize", () => threadSize(this.#context));
  }
}

function disorderOf({ unsorted, outside }: OrcDisorder): string {
  const places = unsorted === 1 ? "1 place" : `${unsorted} places`;
  const entries = outside === 1 ? "1 entry" : `${outside} entries`;
  const left = outside === 0 ? "" : `, and ${entries} outside of the kernel left out`;
  return `the kernel's ORC unwind tables are out of order in ${places}, as before Linux 5.6 or where they are damaged; they were sorted${left}`;
}
