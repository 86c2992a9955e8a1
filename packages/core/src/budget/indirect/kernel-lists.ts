/**
 * Callbacks in lists that the kernel keeps in a way which types do not show: probes of tracepoints (`void *` behind a pointer
 * that each tracepoint has) and hooks of security modules (one list for each hook, filled when the kernel starts).
 */
import type { Program } from "../../program/program.ts";
import { findMember } from "../../types/member.ts";
import type { CAggregate } from "../../types/type-provider.ts";
import { low32 } from "../function-table.ts";
import { firstNotBefore } from "../sorted.ts";
import type { DataWords } from "./data-words.ts";
import type { FlowGraph } from "./flow-graph.ts";
import type { StructPlaces } from "./struct-places.ts";
import type { SymbolFacts } from "./symbol-facts.ts";

/** Functions that calls the probes of one tracepoint (include/linux/tracepoint.h, d25e37d89dd2, 5.10). */
const ITERATOR = "__traceiter_";
/** tracepoint_probe_register and its variants: the tracepoint and the probe. */
const REGISTERS = /^tracepoint_probe_register(_prio)?(_may_exist)?$/;

/** The tracepoint whose probes a function of that name calls; null for all others. */
export function tracepointOf(caller: string): string | null {
  return caller.startsWith(ITERATOR) ? caller.slice(ITERATOR.length) : null;
}

/** Does a function of that name register its second argument as a probe of its first? */
export function registersProbe(callee: string): boolean {
  return REGISTERS.test(callee);
}

/** The node that stands for all probes of a tracepoint. */
export function probesOf(graph: FlowGraph, tracepoint: string): number {
  return graph.pool(`probes of ${tracepoint}`);
}

/** Words of data by their place. */
class Words {
  readonly #words: DataWords;

  constructor(words: DataWords) {
    this.#words = words;
  }

  /** The address that stands at a place; 0 for none. */
  at(place: number): number {
    const { place: places, target } = this.#words;
    const index = firstNotBefore(places, place);
    return places[index] === place ? target[index]! : 0;
  }

  /** Places at which an address between the two stands. */
  *leadingInto(start: number, end: number): Iterable<{ readonly place: number; readonly target: number }> {
    const { place, target } = this.#words;
    for (let at = 0; at < place.length; at++) {
      if (target[at]! >= start && target[at]! < end) yield { place: place[at]!, target: target[at]! };
    }
  }
}

/**
 * What static data say of tracepoints and security hooks, told to the graph. Trace events register what their class has for
 * ftrace and perf (`trace_event_reg`); BPF what the tracepoint's map has (`struct bpf_raw_event_map`).
 */
export function fillKernelLists(
  program: Program,
  symbols: SymbolFacts,
  graph: FlowGraph,
  structs: StructPlaces,
  data: DataWords,
  isFunction: (address: number) => boolean,
): void {
  const words = new Words(data);
  const byName = new Map<string, CAggregate>();
  for (const struct of structs.defined) if (!byName.has(struct.name)) byName.set(struct.name, struct);
  fillTracepoints(symbols, graph, byName, words, isFunction);
  fillSecurityHooks(program, graph, byName, words, isFunction);
}

function fillTracepoints(
  { tracepoints, traced }: SymbolFacts,
  graph: FlowGraph,
  byName: ReadonlyMap<string, CAggregate>,
  words: Words,
  isFunction: (address: number) => boolean,
): void {
  const classOf = offsetOf(byName.get("trace_event_call"), "class");
  const pointOf = offsetOf(byName.get("trace_event_call"), "tp");
  const probes = ["probe", "perf_probe"].map((name) => offsetOf(byName.get("trace_event_class"), name));
  const mapPoint = offsetOf(byName.get("bpf_raw_event_map"), "tp");
  const mapFunction = offsetOf(byName.get("bpf_raw_event_map"), "bpf_func");
  const add = (tracepoint: string | undefined, probe: number): void => {
    if (tracepoint !== undefined && isFunction(probe)) graph.addFunction(probesOf(graph, tracepoint), probe);
  };
  for (const { address: at, kind } of traced) {
    if (kind === "event" && classOf !== null && pointOf !== null) {
      const tracepoint = tracepoints.get(words.at(at + pointOf));
      const eventClass = words.at(at + classOf);
      if (tracepoint === undefined || eventClass === 0) continue;
      for (const offset of probes) if (offset !== null) add(tracepoint, words.at(eventClass + offset));
    } else if (kind === "map" && mapPoint !== null && mapFunction !== null) {
      add(tracepoints.get(words.at(at + mapPoint)), words.at(at + mapFunction));
    }
  }
}

/**
 * Up to 6.11 (417c5643cd67) each hook is a list of `struct security_hook_list`, which names its head: adding it to that list
 * when the kernel starts is what the elements' heads point to them for.
 */
function fillSecurityHooks(
  program: Program,
  graph: FlowGraph,
  byName: ReadonlyMap<string, CAggregate>,
  words: Words,
  isFunction: (address: number) => boolean,
): void {
  const heads = program.symbols.byName("security_hook_heads", null)?.address;
  const list = byName.get("security_hook_list");
  const size = byName.get("security_hook_heads")?.size ?? 0;
  const head = offsetOf(list, "head");
  const hook = offsetOf(list, "hook");
  if (heads === undefined || head === null || hook === null) return;
  for (const { place, target } of words.leadingInto(low32(heads), low32(heads) + size)) {
    const element = place - head;
    if (isFunction(words.at(element + hook))) graph.addAddress(graph.global(target), element);
  }
}

/** Bytes before a member, which may lie in a union without a name; null where there is none of that name. */
function offsetOf(struct: CAggregate | undefined, name: string): number | null {
  const member = struct === undefined ? null : findMember(struct, name);
  return member === null ? null : member.bitOffset >>> 3;
}
