/**
 * Who can be called by an indirect call: a visitor of the pass over all code, and the answer for each site once the pass is
 * over. Two sets a site: the functions that the called member (or variable, or parameter) was given somewhere, and all
 * functions whose address is taken and whose prototype fits.
 */
import { CodeColumns, mnemonicNumber } from "../../code/code-columns.ts";
import type { DeclaredTypes } from "../../debuginfo/declared-types.ts";
import { kernelData } from "../../program/kernel-areas.ts";
import type { Program } from "../../program/program.ts";
import type { KernelSymbol } from "../../symbols/symbol-table.ts";
import { BtfProvider } from "../../types/btf.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { IndirectResolver, ResolvedTargets } from "../build-call-graph.ts";
import type { CalleeSets } from "../call-graph.ts";
import type { FoundCalls } from "../find-calls.ts";
import { type FunctionTable, fullAddress, low32 } from "../function-table.ts";
import { GrowingColumn } from "../growing.ts";
import { SITE_KIND } from "../sites.ts";
import { firstAfter } from "../sorted.ts";
import { isTrampoline } from "../static-call-updates.ts";
import type { WalkedFunction } from "../walk-functions.ts";
import { AddressFilter } from "./address-filter.ts";
import { CodeBlocks } from "./code-blocks.ts";
import type { FoundReferences } from "./code-references.ts";
import { areaTest, type DataWords, dataWords } from "./data-words.ts";
import { DeclaredVariables } from "./declared-variables.ts";
import { FlowGraph } from "./flow-graph.ts";
import type { NodeKind } from "./flow-nodes.ts";
import { FunctionFacts } from "./function-facts.ts";
import { jumpLabels } from "./jump-labels.ts";
import { TypeHashes } from "./kcfi.ts";
import { fillKernelLists } from "./kernel-lists.ts";
import { KnownFunctions } from "./known-functions.ts";
import { MemberSearch } from "./member-search.ts";
import type { ProgramFacts } from "./program-facts.ts";
import { Prototypes } from "./prototypes.ts";
import { SetBuilder } from "./set-builder.ts";
import { type Extent, StaticObjects } from "./static-objects.ts";
import { type CodeMember, StructPlaces } from "./struct-places.ts";
import { exportKey, type SymbolFacts, symbolFacts } from "./symbol-facts.ts";

export interface IndirectCallees {
  readonly sets: CalleeSets;
  /** By address of the call or jump (low 32 bits, signed): set number, -1 where the slot is not known. */
  readonly typedSet: ReadonlyMap<number, number>;
  /** The same for the functions that fit by prototype or, failing that, by arguments. */
  readonly assumedSet: ReadonlyMap<number, number>;
  readonly statistics: IndirectStatistics;
}

/** `push $imm32`, in bytes. */
const LONGEST_PUSH = 5;

/** An alternative's replacement of an indirect call (lfence and the call itself) begins at most so many bytes before it. */
const MOST_BEFORE = 8;

export interface IndirectStatistics {
  readonly sites: number;
  readonly typed: number;
  /** By prototype. */
  readonly assumed: number;
  /** By what the argument registers point to only. */
  readonly byArguments: number;
  readonly unresolved: number;
  readonly addressTaken: number;
  readonly prototypes: number;
}

export class IndirectCalls implements IndirectResolver {
  readonly #program: Program;
  readonly #table: FunctionTable;
  readonly #declared: DeclaredTypes | null;
  readonly #prototypes = new Prototypes();
  readonly #structs = new StructPlaces();
  readonly #graph = new FlowGraph(this.#structs);
  readonly #symbols: SymbolFacts;
  readonly #functions: KnownFunctions;
  readonly #words: DataWords;
  readonly #objects: StaticObjects;
  readonly #search: MemberSearch;
  readonly #blocks: CodeBlocks;
  readonly #facts: FunctionFacts;
  readonly #entries = new AddressFilter();
  readonly #taken = new Set<number>();
  /** What calls and jumps name. */
  readonly #called = new Set<number>();
  /** By type; -1 of what is no pointer to a function. */
  readonly #prototypeOfType = new Map<CType, number>();
  readonly #mayBeCalled: (entry: number) => boolean;
  readonly #labels = new Map<number, boolean>();
  #statistics: IndirectStatistics | null = null;

  /**
   * @param declared what debug information says of variables and functions
   * @param symbols all of the program's: out of kallsyms each name has to be unpacked
   */
  constructor(
    program: Program,
    table: FunctionTable,
    declared: DeclaredTypes | null = null,
    symbols: readonly KernelSymbol[] = [...program.symbols.all()],
  ) {
    this.#program = program;
    this.#table = table;
    this.#declared = declared;
    this.#mayBeCalled = mayBeCalled(program);
    this.#symbols = symbolFacts(symbols);
    this.#functions = new KnownFunctions(program, symbols, this.#prototypes, declared);
    for (const { entry } of this.#functions.all()) this.#entries.add(entry);
    this.#structs.add(program.types);
    for (const module of modulesOf(table)) {
      const types = program.moduleTypes(module);
      if (types !== program.types) this.#structs.add(types);
    }
    this.#words = dataWords(program);
    this.#objects = new StaticObjects(
      this.#words,
      this.#graph,
      this.#structs,
      this.#functions,
      extents(program, symbols),
    );
    this.#graph.onGlobal = (node, address) => this.#objects.fill(node, address);
    this.#graph.onTypedAddress = (address, type) => {
      const pointee = this.#structs.pointee(type);
      if (pointee !== null) this.#objects.add(address, pointee);
    };
    this.#graph.nameOf = (kind, address, argument) => this.#nameOf(kind, address, argument);
    this.#graph.prototypeOf = (type) => this.#prototypeOf(type);
    this.#graph.isSure = (entry) => this.#sureOf(entry) !== null;
    this.#graph.fits = (prototype, entry) => this.#fits(prototype, entry);
    this.#search = new MemberSearch(this.#structs, (type) => this.#prototypeOf(type));
    const variables = declared === null ? null : new DeclaredVariables(declared);
    for (const { address, type } of variables?.structs() ?? []) {
      this.#objects.add(address, this.#structs.canonical(type));
    }
    this.#blocks = new CodeBlocks(jumpLabels(program));
    this.#facts = new FunctionFacts(
      programFacts(
        variables,
        program,
        symbols,
        this.#symbols,
        this.#search,
        this.#structs,
        this.#prototypes,
        this.#graph,
        this.#functions,
        this.#objects,
      ),
    );
    for (const target of this.#words.target) this.#take(target);
  }

  /** Of the last `callees`; null before. */
  get statistics(): IndirectStatistics | null {
    return this.#statistics;
  }

  /** "pv_ops+0x28", "an element of softirq_vec", "argument 2 of call_rcu". */
  #nameOf(kind: NodeKind, address: number, argument: number): string {
    const found = this.#program.symbols.byAddress(fullAddress(address));
    if (found === null)
      return kind === "global" || kind === "table" ? `data at 0x${addressDigits(address)}` : "a value";
    if (kind === "table") return `an element of ${found.symbol.name}`;
    const name = found.offset === 0 ? found.symbol.name : `${found.symbol.name}+0x${found.offset.toString(16)}`;
    if (kind === "parameter") return `argument ${argument + 1} of ${name}`;
    return kind === "result" ? `result of ${name}` : name;
  }

  #prototypeOf(declared: CType): number {
    let prototype = this.#prototypeOfType.get(declared);
    if (prototype === undefined) {
      prototype = this.#findPrototype(declared);
      this.#prototypeOfType.set(declared, prototype);
    }
    return prototype;
  }

  #findPrototype(declared: CType): number {
    const type = stripTypedefs(declared);
    const target = type.kind === "pointer" ? stripTypedefs(type.target) : null;
    return target?.kind === "function" ? this.#prototypes.idOf(target) : -1;
  }

  /** What a function's own record says it is; null where that is not certain. */
  #sureOf(entry: number): readonly number[] | null {
    const known = this.#functions.at(entry);
    return known === undefined || !known.sure || known.prototypes.length === 0 ? null : known.prototypes;
  }

  /**
   * As many parameters, each in a register of its own or in none, and a result or none. The record of a static function may be
   * that of another by its name which was inlined wherever it is called, so that kallsyms has only one of them. A label that no
   * call enters fits none: `return_to_handler` is stored in place of a return address.
   */
  #fits(wanted: number, entry: number): boolean {
    const own = this.#sureOf(entry);
    if (own === null) return !this.#isLabel(entry);
    return own.some((prototype) => this.#prototypes.shape(prototype) === this.#prototypes.shape(wanted));
  }

  /** Code without a type that no call enters, as far as unwind data tell. */
  #isLabel(entry: number): boolean {
    let known = this.#labels.get(entry);
    if (known === undefined) {
      known = this.#functions.at(entry)?.prototypes.length === 0 && !this.#mayBeCalled(entry);
      this.#labels.set(entry, known);
    }
    return known;
  }

  visit(walked: WalkedFunction): void {
    this.visitInit(walked, this.#table.start[walked.index]!);
  }

  /** Code that is gone once the kernel has started, but fills tables and registers callbacks before. */
  visitInit({ code, blocks }: WalkedFunction, entry: number): void {
    this.#facts.run(code, blocks ?? this.#blocks.of(code), entry);
  }

  /** What code refers to. */
  #refer({ called, taken }: FoundReferences): void {
    for (const entry of called) this.#called.add(entry);
    for (const entry of taken) this.#take(entry);
  }

  #take(address: number): void {
    const known = this.#entries.mayHave(address) ? this.#functions.at(address) : undefined;
    if (known === undefined || this.#taken.has(address)) return;
    // A static call's trampoline is a place that is patched: who has its address calls nothing there
    // (STATIC_CALL_TRAMP_PREFIX, include/linux/static_call_types.h).
    if (!isTrampoline(known.name)) this.#taken.add(address);
  }

  /** Sets for the sites that the pass has found. */
  resolve(_table: FunctionTable, { sites, references }: FoundCalls): ResolvedTargets {
    const { typedSet, assumedSet, sets } = this.callees(references);
    const typed = new Int32Array(sites.count).fill(-1);
    const assumed = new Int32Array(sites.count).fill(-1);
    for (let site = 0; site < sites.count; site++) {
      if (sites.kind[site]! < SITE_KIND["indirect-call"]) continue;
      const address = sites.address[site]!;
      for (let back = 0; back <= MOST_BEFORE; back++) {
        if (!assumedSet.has(address - back) && !typedSet.has(address - back)) continue;
        typed[site] = typedSet.get(address - back) ?? -1;
        assumed[site] = assumedSet.get(address - back) ?? -1;
        break;
      }
    }
    const problems = [...(this.#declared?.problems ?? [])];
    if (this.#search.isIncomplete) {
      problems.push(
        "the kernel's type information (BTF) is damaged: structs hold each other in too many ways to look at them all",
      );
    }
    return { typedSet: typed, assumedSet: assumed, sets, problems };
  }

  /**
   * To be asked once, when all functions have been visited.
   * @param references what their code refers to
   */
  callees(references: FoundReferences): IndirectCallees {
    this.#refer(references);
    this.#facts.forget();
    this.#unreferenced();
    this.#signatures();
    fillKernelLists(this.#program, this.#symbols, this.#graph, this.#structs, this.#words, (address) => {
      return this.#functions.at(address) !== undefined;
    });
    this.#settle();
    return this.#answer();
  }

  /**
   * A function that nothing refers to, and that is not exported, is still called by somebody: its address lies where it was
   * not looked for, relative to its own place (PCI fixups, init calls) or in memory that was allocated.
   */
  #unreferenced(): void {
    const { exported } = this.#symbols;
    for (const { entry, name, init, prototypes, module } of this.#functions.all()) {
      if (init || prototypes.length === 0 || this.#called.has(entry) || this.#taken.has(entry)) continue;
      if (!exported.has(exportKey(name, module))) this.#taken.add(entry);
    }
  }

  /** What an indirect call of a prototype hands over and gets back. */
  #signatures(): void {
    for (const entry of this.#taken) {
      const known = this.#functions.at(entry)!;
      for (const prototype of known.prototypes) {
        for (const [argument] of this.#prototypes.registers(prototype).entries()) {
          const pool = this.#graph.argumentOf(prototype, argument);
          this.#graph.edge(pool, this.#graph.parameter(entry, argument));
          // Assembler calls as well (a new thread's main function), and so do sites that were not understood.
          this.#graph.addUnknown(pool);
        }
        this.#graph.edge(this.#graph.result(entry), this.#graph.resultOf(prototype));
      }
    }
  }

  /** Types of objects and what flows feed each other until nothing is new. */
  #settle(): void {
    this.#objects.fillTables(this.#graph.tables());
    do this.#graph.solve();
    while (this.#objects.settle() || this.#declareGlobals());
    this.#objects.placeByContent(this.#candidates());
    this.#facts.settleLostStores();
    do this.#graph.solve();
    while (this.#objects.settle() || this.#declareGlobals());
  }

  /** Words of memory that turned out to be members of objects of known types; false where none is new. */
  #declareGlobals(): boolean {
    let isNew = false;
    for (const [address, node] of this.#graph.globals()) {
      if (this.#graph.isDeclared(node)) continue;
      if (this.#graph.declare(node, this.#objects.placesAt(address))) isNew = true;
    }
    return isNew;
  }

  /** Members by the functions that they can hold. */
  #candidates(): (entry: number) => readonly CodeMember[] {
    return (entry) => {
      const prototypes = this.#functions.at(entry)?.prototypes ?? [];
      if (prototypes.length === 1) return this.#search.membersOf(prototypes[0]!);
      return prototypes.flatMap((prototype) => this.#search.membersOf(prototype));
    };
  }

  #answer(): IndirectCallees {
    const builder = new SetBuilder(
      this.#table,
      this.#functions,
      this.#prototypes,
      this.#graph,
      this.#taken,
      this.#search,
      this.#mayBeCalled,
      new TypeHashes(this.#program.memory),
    );
    const callees = builder.answer(this.#facts.sites);
    this.#statistics = callees.statistics;
    return callees;
  }
}

/**
 * Can code without a type be called at all? Assembler is full of labels that are addresses of something else: what the CPU
 * enters (interrupts, system calls), ends of sections, thunks. A function's unwind data begin like those of a call. A label that
 * returns lead to has no return address: it pushes one for the unwinder's sake, and is then as deep as a function at its start
 * (`arch_rethook_trampoline`, arch/x86/kernel/rethook.c, 6.1).
 */
function mayBeCalled({ orc, memory }: Program): (entry: number) => boolean {
  if (orc === null) return () => true;
  return (entry) => {
    const address = fullAddress(entry);
    const first = orc.find(address);
    if (first === null || first.type !== "call" || first.spRegister !== "sp" || first.spOffset !== 8) return false;
    const pushed = pushLength(memory.read(address, LONGEST_PUSH), address);
    return pushed === 0 || orc.find(address + BigInt(pushed))?.spOffset !== 8;
  };
}

/** Length of the push that code begins with; 0 where it begins with something else. */
function pushLength(bytes: Uint8Array | null, address: bigint): number {
  const code = new CodeColumns();
  if (bytes !== null) code.decode(bytes, address, 1);
  return code.count === 1 && code.mnemonic[0] === mnemonicNumber("push") ? code.length[0]! : 0;
}

function addressDigits(address: number): string {
  return fullAddress(address).toString(16);
}

function modulesOf(table: FunctionTable): Set<string> {
  return new Set(table.module.filter((name) => name !== null));
}

/** Extents of the symbols of data. */
function extents(program: Program, symbols: readonly KernelSymbol[]): (address: number) => Extent | null {
  const starts = new GrowingColumn();
  // Objects that are zero at first are objects as well: code fills them.
  const areas = [...program.data, ...kernelData(program.symbols, true)];
  const inData = areaTest(areas);
  for (const { address } of symbols) {
    const low = low32(address);
    if (inData(low)) starts.push(low);
  }
  for (const area of areas) {
    starts.push(low32(area.start));
    starts.push(low32(area.end));
  }
  const sorted = starts.values.slice().sort();
  return (address) => {
    const behind = firstAfter(sorted, address);
    const start = sorted[behind - 1];
    const end = sorted[behind];
    return start === undefined || end === undefined ? null : { start, end };
  };
}

function programFacts(
  declared: DeclaredVariables | null,
  program: Program,
  symbols: readonly KernelSymbol[],
  { thunks, returnThunks, preserving, tracepoints }: SymbolFacts,
  search: MemberSearch,
  structs: StructPlaces,
  prototypes: Prototypes,
  graph: FlowGraph,
  functions: KnownFunctions,
  objects: StaticObjects,
): ProgramFacts {
  const perCpu: { start: number; type: CType }[] = [];
  const variables = new Map<string, CType>();
  if (program.types instanceof BtfProvider) {
    for (const { name, type } of program.types.variables()) variables.set(name, type);
  }
  for (let n = 0; n < symbols.length; n++) {
    const { name, address, module } = symbols[n]!;
    const type = module === null ? variables.get(name) : undefined;
    if (type !== undefined) perCpu.push({ start: low32(address), type });
  }
  perCpu.sort((a, b) => a.start - b.start);
  const isAddress = areaTest([...program.text, ...program.data, ...kernelData(program.symbols, true)]);
  return {
    structs,
    prototypes,
    graph,
    functions,
    search,
    declared,
    hashes: new TypeHashes(program.memory),
    isAddress: (value) => value < 0 && isAddress(value),
    perCpuVariable: (address) => {
      let low = 0;
      let high = perCpu.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (perCpu[middle]!.start <= address) low = middle + 1;
        else high = middle;
      }
      const found = perCpu[low - 1];
      if (found === undefined) return null;
      const offset = address - found.start;
      const type = stripTypedefs(found.type);
      const size = "size" in type ? type.size : 0;
      return offset < Math.max(size, 8) ? { type: found.type, offset } : null;
    },
    tracepointAt: (address) => tracepoints.get(address) ?? null,
    thunkRegister: (target) => thunks.get(target) ?? -1,
    isReturnThunk: (target) => returnThunks.has(target),
    preserves: (target) => preserving.has(target),
    typedAddress: (address: number, type: CAggregate) => objects.add(address, type),
  };
}
