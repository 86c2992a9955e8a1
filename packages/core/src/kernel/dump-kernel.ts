import type { DebugFileFinder } from "../debuginfo/debug-file-finder.ts";
import type { DebugInfo } from "../debuginfo/debug-info.ts";
import { KernelDebugInfo } from "../debuginfo/kernel-debug-info.ts";
import type { DumpImage } from "../image/dump-image.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { KernelSymbols } from "../symbols/kernel-symbols.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { OrcTable } from "../unwind/orc.ts";
import { openOrc } from "../unwind/orc-table.ts";
import type { KernelContext } from "./context.ts";
import { matchNotes } from "./cpu-notes.ts";
import { type KernelCpu, readCpus } from "./cpus.ts";
import type { ExtraStackPool } from "./extra-stacks.ts";
import type { Cpu, Kernel, LogRecord, StackRange, Task } from "./kernel.ts";
import { openKernelTypes } from "./kernel-types.ts";
import { readLog } from "./log.ts";
import { findPanic } from "./panic.ts";
import { PerCpu } from "./percpu.ts";
import { referenceCanary } from "./reference-canary.ts";
import { Stacks } from "./stacks.ts";
import { TaskReader } from "./tasks.ts";
import { stackTops, threadSize } from "./thread-size.ts";
import { crashTime, type KernelTime, readLoadAverage, readMemoryBytes, readTime } from "./time.ts";
import { readBanner, readUtsname, type Utsname } from "./utsname.ts";

export interface KernelParts {
  readonly image: DumpImage;
  readonly memory: AddressSpace;
  readonly vmcoreinfo: ReadonlyMap<string, string>;
  readonly kaslrOffset: bigint;
  readonly pagingLevels: 4 | 5;
  /** Opens the symbols; its argument gives the types when modules need them. */
  readonly openSymbols: (types: () => TypeProvider) => SymbolTable & Partial<Pick<KernelSymbols, "problems">>;
  /** How files of debug information are found; none are looked for without it. */
  readonly debugFiles?: DebugFileFinder | undefined;
  /** What was wrong before the kernel was opened. */
  readonly problems: readonly string[];
}

/** The kernel in a dump. Every part is found when it is first asked for, and once. */
export class DumpKernel implements Kernel {
  readonly image: DumpImage;
  readonly memory: AddressSpace;
  readonly symbols: ReturnType<KernelParts["openSymbols"]>;
  readonly vmcoreinfo: ReadonlyMap<string, string>;
  readonly machine = "x86_64";
  readonly kaslrOffset: bigint;
  readonly pagingLevels: 4 | 5;
  readonly #problems: string[];
  readonly #debugFiles: DebugFileFinder | null;
  readonly #context: KernelContext;
  readonly #perCpu: PerCpu;
  readonly #tasks: TaskReader;
  readonly #memo = new Map<string, unknown>();
  #matching = false;

  constructor(parts: KernelParts) {
    this.image = parts.image;
    this.memory = parts.memory;
    this.vmcoreinfo = parts.vmcoreinfo;
    this.kaslrOffset = parts.kaslrOffset;
    this.pagingLevels = parts.pagingLevels;
    this.#problems = [...parts.problems];
    this.#debugFiles = parts.debugFiles ?? null;
    this.symbols = parts.openSymbols(() => this.#ownTypes);
    const kernel = this;
    this.#context = {
      image: parts.image,
      memory: parts.memory,
      symbols: this.symbols,
      vmcoreinfo: parts.vmcoreinfo,
      get types() {
        return kernel.types;
      },
      problem: (text) => {
        if (!this.#problems.includes(text)) this.#problems.push(text);
      },
    };
    this.#perCpu = new PerCpu(this.#context);
    this.#tasks = new TaskReader(this.#context, this.#perCpu, () => this.#kernelCpus);
  }

  #once<T>(key: string, make: () => T): T {
    if (!this.#memo.has(key)) this.#memo.set(key, make());
    return this.#memo.get(key) as T;
  }

  get problems(): readonly string[] {
    const debugInfo = (this.#memo.get("debugInfo") as DebugInfo | null | undefined)?.problems ?? [];
    return [...this.#problems, ...(this.symbols.problems ?? []), ...debugInfo];
  }

  /** The types that the kernel carries (BTF). Modules are found by these or by content, so that debug files can ask for modules. */
  get #ownTypes(): TypeProvider {
    return this.#once("types", () => openKernelTypes(this.#context));
  }

  /** BTF; where the kernel has none, the types of its debug file. */
  get types(): TypeProvider {
    if (this.#ownTypes !== EmptyTypes || this.#debugFiles === null) return this.#ownTypes;
    // While debug files are matched to modules nobody can know what they will tell.
    if (this.#matching) return EmptyTypes;
    this.#matching = true;
    try {
      return this.debugInfo?.kernelTypes ?? EmptyTypes;
    } finally {
      this.#matching = false;
    }
  }

  get orc(): OrcTable | null {
    return this.#once("orc", () => {
      const orc = openOrc(this.memory, this.symbols);
      // A kernel built without them lacks nothing: its stacks are unwound by other means.
      if (orc === null && this.symbols.byName("__start_orc_unwind", null) !== null) {
        this.#context.problem("the kernel's ORC unwind tables cannot be read");
      }
      return orc;
    });
  }

  get debugInfo(): DebugInfo | null {
    const finder = this.#debugFiles;
    return finder === null ? null : this.#once("debugInfo", () => new KernelDebugInfo(this, finder));
  }

  get #utsname(): Utsname | null {
    return this.#once("utsname", () => readUtsname(this.#context));
  }

  get release(): string {
    const fromBanner = /^Linux version (\S+)/.exec(this.banner)?.[1];
    const noted = this.vmcoreinfo.get("OSRELEASE") || this.image.header?.release;
    return this.#utsname?.release || noted || fromBanner || "";
  }

  get banner(): string {
    return this.#once("banner", () => readBanner(this.#context));
  }

  get nodename(): string {
    return this.#utsname?.nodename ?? this.image.header?.nodename ?? "";
  }

  get threadSize(): number {
    return this.#once("threadSize", () => {
      const stackOf = (task: bigint) => this.#tasks.task(task)?.stack ?? null;
      return threadSize(this.#context, () => stackTops(this.#kernelCpus, this.#perCpu, stackOf));
    });
  }

  get #time(): KernelTime {
    return this.#once("time", () => readTime(this.#context));
  }

  get uptimeSeconds(): number | null {
    // The clock stops being updated when a CPU spins with interrupts off; the log goes on.
    const last = this.log().at(-1);
    const logged = last === undefined ? null : Number(last.timestamp / 1_000_000_000n);
    const clock = this.#time.uptimeSeconds;
    return logged === null ? clock : Math.max(logged, clock ?? 0);
  }

  get crashTime(): string | null {
    return this.#once("crashTime", () => crashTime(this.#context, this.#time));
  }

  get loadAverage(): readonly [number, number, number] | null {
    return this.#once("loadAverage", () => readLoadAverage(this.#context));
  }

  get memoryBytes(): number | null {
    return this.#once("memoryBytes", () => readMemoryBytes(this.#context));
  }

  get #kernelCpus(): readonly KernelCpu[] {
    return this.#once("kernelCpus", () => readCpus(this.#context, this.#perCpu));
  }

  get cpus(): readonly Cpu[] {
    return this.#once("cpus", () => {
      const registers = matchNotes(
        this.#context,
        this.#kernelCpus,
        (address) => this.stackAt(address)?.stack ?? null,
        (task) => this.#tasks.pid(task),
      );
      return this.#kernelCpus.map((cpu) => ({ ...cpu, registers: registers.get(cpu.number) ?? null }));
    });
  }

  tasks(): readonly Task[] {
    return this.#tasks.all();
  }

  task(address: bigint): Task | null {
    return this.#tasks.task(address);
  }

  perCpu(symbol: string, cpu: number): bigint | null {
    return this.#perCpu.address(symbol, cpu);
  }

  get #stacks(): Stacks {
    return this.#once(
      "stacks",
      () => new Stacks(this.#context, this.#perCpu, () => this.#kernelCpus, this.#tasks, this.threadSize),
    );
  }

  stacks(): readonly StackRange[] {
    return this.#stacks.all();
  }

  stackAt(address: bigint): { readonly stack: StackRange; readonly guard: boolean } | null {
    return this.#stacks.at(address);
  }

  extraStacks(): ExtraStackPool | null {
    return this.#stacks.pool;
  }

  log(): readonly LogRecord[] {
    return this.#once("log", () => readLog(this.#context));
  }

  get panic(): Kernel["panic"] {
    return this.#once("panic", () =>
      findPanic(
        this.#context,
        this.#kernelCpus,
        this.log(),
        (task) => this.#tasks.pid(task),
        (pid) => this.tasks().find((task) => task.pid === pid)?.address ?? null,
      ),
    );
  }

  referenceCanary(cpu: number): { readonly address: bigint; readonly value: bigint } | null {
    return referenceCanary(this.#context, this.#perCpu, cpu);
  }
}
