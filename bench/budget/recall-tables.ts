/** What `recall.ts` prints of calls and of frames' sizes. */
import type { Program } from "@spillway/core";
import { CERTAINTIES } from "../../packages/core/src/budget/call-graph.ts";
import { fullAddress } from "../../packages/core/src/budget/function-table.ts";
import type { Precision, SetSizes } from "../../packages/core/src/budget/truth/precision.ts";
import { type Recall, recallOf, type SizeComparison } from "../../packages/core/src/budget/truth/recall.ts";
import { textTable } from "../lib/table.ts";

type Named<T> = readonly (readonly [name: string, what: T])[];

const left = (title: string) => ({ title, align: "left" }) as const;
const right = (title: string) => ({ title, align: "right" }) as const;

export function recallTable(rows: Named<Recall>): string {
  return textTable(
    [
      left("source"),
      right("calls"),
      ...CERTAINTIES.map(right),
      right("missed"),
      right("recall %"),
      right("not judged"),
    ],
    rows.map(([name, recall]) => [
      name,
      String(CERTAINTIES.reduce((sum, certainty) => sum + recall.found[certainty], recall.misses.length)),
      ...CERTAINTIES.map((certainty) => String(recall.found[certainty])),
      String(recall.misses.length),
      (recallOf(recall) * 100).toFixed(3),
      String(recall.outside),
    ]),
  );
}

export function sizeTable(sizes: Named<SizeComparison>): string {
  return textTable(
    [left("bytes at call sites"), right("equal"), right("different"), right("not known"), right("not judged")],
    sizes.map(([name, s]) => [name, s.equal, s.differences.length, s.unknown, s.outside].map(String)),
  );
}

export function precisionTable(precision: Precision): string {
  const row = (name: string, s: SetSizes) => [
    name,
    String(s.sites),
    s.mean.toFixed(1),
    String(s.median),
    String(s.largest),
  ];
  const table = textTable(
    [left("behind an indirect call"), right("sites"), right("mean"), right("median"), right("largest")],
    [
      row("slot, else prototype", precision.narrowed),
      row("sites with a slot", precision.typed),
      row("prototype only", precision.prototypeOnly),
    ],
  );
  return `${table}\nunresolved: ${precision.unresolved} of ${precision.indirectSites} indirect sites`;
}

/** One line for each miss and each size that differs. */
export function missLines(program: Program, rows: Named<Recall>, sizes: Named<SizeComparison>): string[] {
  const place = (at: number): string => {
    const found = program.symbols.byAddress(fullAddress(at));
    const name = found === null ? "?" : `${found.symbol.name}+0x${found.offset.toString(16)}`;
    return `${fullAddress(at).toString(16)} ${found?.symbol.module ?? "vmlinux"}:${name}`;
  };
  const missed = rows.flatMap(([name, { misses }]) =>
    misses.map(({ at, callee, reason }) => `${name}: ${reason}: ${place(at - 1)} -> ${place(callee)}`),
  );
  const different = sizes.flatMap(([name, { differences }]) =>
    differences.map(({ at, observed, expected }) => `${name}: size ${observed}, not ${expected}: ${place(at - 1)}`),
  );
  return [...missed, ...different];
}
