import { type ModuleImage, readModuleImage } from "../debuginfo/module-sections.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { moduleTypes } from "../kernel/module-types.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { OrcTable } from "../unwind/orc.ts";
import { byAddress, kernelData, kernelText } from "./kernel-areas.ts";
import type { Alternative, Program, ProgramArea, ProgramSource, RelocationColumns } from "./program.ts";

export interface FromKernelOptions {
  /** `vmcore` where left out. */
  readonly source?: Extract<ProgramSource, "vmcore" | "live">;
  /** Of the file; the release where left out. */
  readonly name?: string;
}

/** The largest static and reserved per-CPU area (PERCPU_MODULE_RESERVE included) is a fraction of this. */
const LARGEST_PER_CPU = 1n << 24n;

/**
 * The program that a crashed or running kernel was: its text as it ran (alternatives, static calls and jump labels in
 * place), what of its data was there, and the modules that were loaded. Code of the start-up is gone and not among it.
 */
export function programFromKernel(kernel: Kernel, options: FromKernelOptions = {}): Program {
  return new KernelProgram(kernel, options);
}

class KernelProgram implements Program {
  readonly source: ProgramSource;
  readonly name: string;
  readonly alternatives: readonly Alternative[] = [];
  readonly relocations: RelocationColumns | null = null;
  readonly #kernel: Kernel;
  readonly #problems: string[] = [];
  readonly #moduleTypes = new Map<string, TypeProvider>();
  #text: readonly ProgramArea[] | null = null;
  #data: readonly ProgramArea[] | null = null;

  constructor(kernel: Kernel, options: FromKernelOptions) {
    this.#kernel = kernel;
    this.source = options.source ?? "vmcore";
    this.name = options.name ?? kernel.release;
  }

  get release(): string | null {
    return this.#kernel.release || null;
  }

  get memory(): Kernel["memory"] {
    return this.#kernel.memory;
  }

  get symbols(): SymbolTable {
    return this.#kernel.symbols;
  }

  get orc(): OrcTable | null {
    return this.#kernel.orc;
  }

  get types(): TypeProvider {
    return this.#kernel.types;
  }

  get threadSize(): number {
    return this.#kernel.threadSize;
  }

  get problems(): readonly string[] {
    return [...this.#kernel.problems, ...this.#problems];
  }

  moduleTypes(name: string): TypeProvider {
    let types = this.#moduleTypes.get(name);
    if (types === undefined) {
      const module = this.symbols.modules.find((one) => one.name === name);
      types = (module === undefined ? null : moduleTypes(this.#kernel, module)) ?? this.types;
      this.#moduleTypes.set(name, types);
    }
    return types;
  }

  moduleImage(name: string): ModuleImage | null {
    const module = this.symbols.modules.find((one) => one.name === name);
    return module === undefined ? null : readModuleImage(this.memory, this.types, module.address);
  }

  get text(): readonly ProgramArea[] {
    if (this.#text === null) {
      const kernel = kernelText(this.symbols, false);
      if (kernel.length === 0) this.#problems.push("where the kernel's code begins and ends is not known");
      this.#text = byAddress([...kernel, ...this.#modules(true)]);
    }
    return this.#text;
  }

  get data(): readonly ProgramArea[] {
    if (this.#data === null) {
      const kernel = kernelData(this.symbols, true);
      if (kernel.length === 0) this.#problems.push("where the kernel's data begins and ends is not known");
      this.#data = byAddress([...kernel, ...this.#perCpu(), ...this.#modules(false)]);
    }
    return this.#data;
  }

  #modules(text: boolean): ProgramArea[] {
    const areas: ProgramArea[] = [];
    for (const module of this.symbols.modules) {
      for (const area of module.areas) {
        if (area.text !== text) continue;
        const section = text ? ".text" : ".data";
        const end = area.start + BigInt(area.size);
        areas.push({ start: area.start, end, module: module.name, section, init: area.init === true });
      }
    }
    return areas;
  }

  /** The first CPU's copy: what it points at, the others' do as well. The initial image is gone after the start. */
  #perCpu(): ProgramArea[] {
    const cpu = this.#kernel.cpus[0]?.number ?? 0;
    const start = this.#kernel.perCpu("__per_cpu_start", cpu);
    const end = this.#kernel.perCpu("__per_cpu_end", cpu);
    if (start === null || end === null || end <= start || end - start > LARGEST_PER_CPU) return [];
    return [{ start, end, module: null, section: ".data..percpu", init: false }];
  }
}
