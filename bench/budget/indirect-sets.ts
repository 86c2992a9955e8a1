/**
 * How far indirect calls are told: sets of callees by the member that is called, beside those by prototype only.
 *
 *     node_modules/.bin/node bench/budget/indirect-sets.ts INPUT [--modules DIR] [--debuginfo PATH…]
 */
import { parseArgs } from "node:util";
import { openDeclaredTypeFiles, openProgramFile } from "../../packages/cli/src/io/open-program.ts";
import { buildCallGraph } from "../../packages/core/src/budget/build-call-graph.ts";
import { type CallGraph, SITE_KINDS } from "../../packages/core/src/budget/call-graph.ts";
import { IndirectCalls } from "../../packages/core/src/budget/indirect/indirect-calls.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { modules: { type: "string", multiple: true }, debuginfo: { type: "string", multiple: true } },
});
const [input] = positionals;
if (input === undefined) {
  console.error("usage: indirect-sets.ts INPUT [--modules DIR] [--debuginfo PATH…]");
  process.exit(2);
}

/** Sizes of sets: how many, their mean, median and largest. */
function summary(sizes: readonly number[]): string {
  if (sizes.length === 0) return "none";
  const sorted = sizes.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, size) => sum + size, 0) / sorted.length;
  return `${sorted.length} sites, mean ${mean.toFixed(1)}, median ${sorted[sorted.length >> 1]}, largest ${sorted.at(-1)}`;
}

function figures({ sites, sets }: CallGraph): void {
  const size = (set: number): number => sets.start[set + 1]! - sets.start[set]!;
  // Where not even the prototype is known, a set's label is a list of arguments.
  const byPrototype = (set: number): boolean => set >= 0 && !sets.label[set]!.startsWith("(");
  const indirect = Array.from(sites.kind.keys()).filter((site) =>
    SITE_KINDS[sites.kind[site]!]!.startsWith("indirect"),
  );
  const typed = indirect.filter((site) => sites.typedSet[site]! >= 0);
  const both = typed.filter((site) => byPrototype(sites.assumedSet[site]!));
  const assumed = indirect.filter((site) => byPrototype(sites.assumedSet[site]!));
  const rest = indirect.filter((site) => sites.assumedSet[site]! >= 0 && !byPrototype(sites.assumedSet[site]!));
  const none = indirect.filter((site) => sites.typedSet[site]! < 0 && sites.assumedSet[site]! < 0);
  const share = (of: readonly number[]): string => `${((100 * of.length) / indirect.length).toFixed(1)} %`;
  console.log(`indirect sites                ${indirect.length}`);
  console.log(
    `slot known                    ${share(typed)}: ${summary(typed.map((site) => size(sites.typedSet[site]!)))}`,
  );
  console.log(`  of these both known, slot   ${summary(both.map((site) => size(sites.typedSet[site]!)))}`);
  console.log(`  the same, by prototype      ${summary(both.map((site) => size(sites.assumedSet[site]!)))}`);
  console.log(
    `prototype known               ${share(assumed)}: ${summary(assumed.map((site) => size(sites.assumedSet[site]!)))}`,
  );
  console.log(
    `arguments only                ${share(rest)}: ${summary(rest.map((site) => size(sites.assumedSet[site]!)))}`,
  );
  console.log(`unresolved                    ${share(none)}`);
}

const started = process.cpuUsage();
const program = openProgramFile(input, { modules: values.modules ?? [] });
const declared = values.debuginfo === undefined ? null : openDeclaredTypeFiles(program, values.debuginfo);
let calls: IndirectCalls | null = null;
const graph = buildCallGraph(program, {
  indirect: (of, table) => {
    calls = new IndirectCalls(of, table, declared);
    return calls;
  },
});
const { user, system } = process.cpuUsage(started);
figures(graph);
console.log(`functions with address taken  ${(calls as IndirectCalls | null)?.statistics?.addressTaken}`);
console.log(`processor time                ${((user + system) / 1e6).toFixed(1)} s`);
console.log(`peak memory                   ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
