/** Who calls a function directly, from the near calls and jumps of all text that lead to it. */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { CALL_REL32, CallIndex, JMP_REL32, type TextArea } from "./call-index.ts";
import { type CallSite, callSiteBefore } from "./call-site.ts";
import type { CodeReader } from "./code-reader.ts";

/** endbr64 or an ftrace site at a function's start may be skipped by a direct call. Bytes. */
const ENTRY_SLACK = 16;
/** Callers looked at; what is called from more places cannot be told by its callers. */
const MAX_CALLERS = 512;

/** The kernel's own text; none where its bounds are not known. */
function kernelText(reader: CodeReader): TextArea[] {
  const start = reader.symbols.byName("_stext", null)?.address ?? reader.symbols.byName("_text", null)?.address;
  const end = reader.symbols.byName("_etext", null)?.address;
  if (start === undefined || end === undefined || end <= start) return [];
  return [{ start, size: Number(end - start) }];
}

function moduleText(reader: CodeReader, only?: string): TextArea[] {
  const modules = reader.symbols.modules.filter((module) => only === undefined || module.name === only);
  return modules.flatMap((module) => module.areas.filter((area) => area.text));
}

/** The text of a module, or of the kernel itself (null). */
export function textAreas(reader: CodeReader, module: string | null): TextArea[] {
  return module === null ? kernelText(reader) : moduleText(reader, module);
}

/** Indexes live as long as the reader: one dump. */
class Indexes {
  readonly kernel: () => CallIndex[];
  readonly modules: () => CallIndex[];
  readonly callers = new Map<bigint, readonly CallSite[]>();

  constructor(reader: CodeReader) {
    const open = (areas: TextArea[]) => areas.map((area) => new CallIndex(reader.memory, area));
    this.kernel = once(() => open(kernelText(reader)));
    this.modules = once(() => open(moduleText(reader)));
  }
}

function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

const indexes = new WeakMap<CodeReader, Indexes>();

/**
 * Call sites that go straight to `callee`'s entry, or to a function that jumps there. Every hit is checked against the
 * decoded function, so bytes that only look like a call are not reported. For a function of a module the modules' text is
 * searched, and the kernel's (static calls reach into modules) only where that gives nothing.
 */
export function directCallers(reader: CodeReader, callee: FunctionRange): readonly CallSite[] {
  let known = indexes.get(reader);
  if (known === undefined) {
    known = new Indexes(reader);
    indexes.set(reader, known);
  }
  let callers = known.callers.get(callee.start);
  if (callers === undefined) {
    if (callee.module === null) callers = search(reader, callee, [...known.kernel(), ...known.modules()]);
    else {
      callers = search(reader, callee, known.modules());
      if (callers.length === 0) callers = search(reader, callee, known.kernel());
    }
    known.callers.set(callee.start, callers);
  }
  return callers;
}

function search(reader: CodeReader, callee: FunctionRange, areas: readonly CallIndex[]): CallSite[] {
  const entries = [callee];
  for (const jump of branchesTo(reader, callee, areas, JMP_REL32)) {
    const from = reader.symbols.functionAt(jump);
    if (from !== null && !entries.some((entry) => entry.start === from.start)) entries.push(from);
  }
  const sites: CallSite[] = [];
  for (const entry of entries) {
    for (const call of branchesTo(reader, entry, areas, CALL_REL32)) {
      const site = callSiteBefore(reader, call + 5n);
      if (site !== null && site.instruction.address === call) sites.push(site);
      if (sites.length >= MAX_CALLERS) return sites;
    }
  }
  return sites;
}

function branchesTo(reader: CodeReader, callee: FunctionRange, areas: readonly CallIndex[], opcode: number): bigint[] {
  const slack = Math.min(ENTRY_SLACK, Number(callee.end - callee.start));
  // Read once more: a memory that keeps account of what was used did not count the pass that made the index.
  return areas.flatMap((area) =>
    area.leadingTo(callee.start, slack).filter((at) => reader.memory.read(at, 5)?.[0] === opcode),
  );
}
