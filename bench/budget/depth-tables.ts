/** What `recall.ts` prints of depths that were seen and the budget's bounds on them. */
import type { Budget } from "@spillway/core";
import { atLevel } from "../../packages/core/src/budget/levels.ts";
import { boundPasses } from "../../packages/core/src/budget/solve.ts";
import {
  BOUND_KINDS,
  type BoundKind,
  type DepthsSeen,
  ONCE_KIND,
  type SeenDepth,
  TOLD_BOUND,
  withinBound,
} from "../../packages/core/src/budget/truth/observed-depths.ts";
import { textTable } from "../lib/table.ts";

const SHOWN_ENTRIES = 12;

/** The bounds that depths are held against. */
export const COMPARED_KINDS: readonly BoundKind[] = [...BOUND_KINDS, ONCE_KIND];
const ONCE = COMPARED_KINDS.indexOf(ONCE_KIND);

const left = (title: string) => ({ title, align: "left" }) as const;
const right = (title: string) => ({ title, align: "right" }) as const;

export function depthTables(budget: Budget, seen: DepthsSeen): string {
  return [kindTable(seen), toldLine(seen), baseTable(seen), entryTable(budget, seen)].join("\n\n");
}

function kindTable({ depths }: DepthsSeen): string {
  return textTable(
    [left("depths below an entry"), right("compared"), right("under"), right("over"), right("no way at this level")],
    COMPARED_KINDS.map(({ level, rounds, once }, at) => {
      const bounds = depths.map((depth) => [depth.bytes, depth.bounds[at] as number] as const);
      const [under, reached] = [
        bounds.filter(([bytes, bound]) => bytes <= bound).length,
        bounds.filter(([, bound]) => bound >= 0).length,
      ];
      const name = `${level}, ${rounds} upcalls${once ? ", none twice" : ""}`;
      return [name, ...[depths.length, under, reached - under, depths.length - reached].map(String)];
    }),
  );
}

/** The bound that people are told, for the depths that were reached by calls which its level knows. */
function toldLine({ depths }: DepthsSeen): string {
  const known = depths.filter(({ bySlots }) => bySlots);
  const over = known.filter(({ bytes, bounds }) => bytes > (bounds[TOLD_BOUND] as number));
  return `by calls that the slot-matched level knows: ${known.length}, of which over the bound told: ${over.length}`;
}

function baseTable({ bases, withoutEntry }: DepthsSeen): string {
  const under = bases.filter(({ bytes, bound }) => bytes <= bound).length;
  const others = [...withoutEntry.values()].reduce((sum, times) => sum + times, 0);
  return `bytes above entries: ${bases.length} compared, ${under} under; chains in which no entry is: ${others}`;
}

/** The entries whose stacks were seen fullest, and how many of all stayed under the bound of their deepest path. */
function entryTable(budget: Budget, { depths, bases }: DepthsSeen): string {
  const deepest = new Map<number, SeenDepth>();
  for (const depth of depths) {
    if (depth.bytes > (deepest.get(depth.entry)?.bytes ?? -1)) deepest.set(depth.entry, depth);
  }
  const above = new Map<number, number>();
  for (const { entry, bytes } of bases) above.set(entry, Math.max(above.get(entry) ?? 0, bytes));
  const solved = atLevel(budget.solved.levels, "slot-matched");
  const path = boundPasses(budget.solved, solved).at(-1)?.depth as Int32Array;
  const { name } = budget.graph.functions;
  const over = [...deepest.values()].filter(({ entry, bytes }) => bytes > (path[entry] as number));
  const table = textTable(
    [left("entry"), right("deepest seen"), left("in"), right("bound there"), right("bound of the path")],
    [...deepest.values()]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, SHOWN_ENTRIES)
      .map(({ entry, f, bytes, bounds }) => [
        name[entry] as string,
        String(bytes),
        name[f] as string,
        String(bounds[TOLD_BOUND]),
        String(path[entry]),
      ]),
  );
  const told = over.map(({ entry, bytes }) => `${name[entry]} ${bytes} of ${path[entry]}`).join(", ");
  return `${table}\n\nentries seen: ${deepest.size}; over the slot-matched bound of their path: ${over.length} (${told})`;
}

/** One line for each depth over the bound told or the same without an upcall twice, each base over its own, each chain that begins at no entry. */
export function depthLines(budget: Budget, { depths, bases, withoutEntry, cutCalls }: DepthsSeen): string[] {
  const { name } = budget.graph.functions;
  const kind = (at: number): string => (at < 0 ? "none" : Object.values(COMPARED_KINDS[at] ?? {}).join("/"));
  return [
    ...depths
      .filter(({ bytes, bounds }) => [TOLD_BOUND, ONCE].some((kind) => bytes > (bounds[kind] as number)))
      .map(
        (depth) =>
          `depth: ${name[depth.entry]} -> ${name[depth.f]}: ${depth.bytes} seen, bounds ${depth.bounds.join(" ")}, within ${kind(withinBound(depth))}${depth.bySlots ? ", known" : ""}`,
      ),
    ...bases
      .filter(({ bytes, bound }) => bytes > bound)
      .map(({ entry, bytes, bound }) => `base: ${name[entry]}: ${bytes} seen, bound ${bound}`),
    ...[...cutCalls].flatMap(([caller, callees]) =>
      [...callees].map(([callee, times]) => `cut: ${name[caller]} -> ${name[callee]}: ${times}`),
    ),
    ...[...withoutEntry].map(([begin, times]) => `no entry: ${begin}: ${times}`),
  ];
}
