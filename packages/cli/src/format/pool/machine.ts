import type { DesignResult, Estimate, Frequency, MachineDocument, TasksResult } from "@spillway/core";
import { RECLAIM_PAGES, shareBeyond, thresholdOf } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, type TableCell } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { wrap } from "../../text/wrap.ts";
import { million, perCent, sizeOf } from "./machine-numbers.ts";

type Look = Pick<Terminal, "width" | "colors" | "unicode">;

/** What `spillway simulate machine` prints. */
export function formatMachine(document: MachineDocument, look: Look): string {
  const paragraphs = [
    about(document),
    table(document.results, look),
    `${wrap("Of operations, crashes and EIO a million; of forks, those that failed. In brackets: 99 % confidence.", look.width).join("\n")}\n`,
    ...document.results.map((result) => differences(result, document.baseline, look)).filter((text) => text !== ""),
    depths(document),
    limits(),
  ];
  return paragraphs.map((text) => (text.includes("\n") ? text : `${wrap(text, look.width).join("\n")}\n`)).join("\n");
}

function about(document: MachineDocument): string {
  const { zone, pool, profile, designs } = document;
  const extra = designs.filter((design) => design.extra);
  const thresholds = [...new Set(extra.map((design) => thousands(thresholdOf(design, pool))))];
  return (
    `${printable(profile.name)}: ${document.replications} runs of ${document.seconds} s each, seed ${document.seed}. ` +
    `Memory for stacks ${sizeOf(zone.bytes)}, of it ${sizeOf(zone.kernelBytes)} the kernel's and ${sizeOf(zone.unmovableBytes)} ` +
    `unmovable, the rest page cache; ${document.cpus} CPUs.` +
    (extra.length === 0
      ? ""
      : ` Pool: ${thousands(pool.stacks)} extra stacks, from ${thresholds.join(" or ")} bytes in use on.`)
  );
}

function table(results: readonly TasksResult[], { colors }: Look): string {
  const rows = results.flatMap(({ tasks, designs }, at): (TableCell | string)[][] => [
    ...(at === 0 ? [] : [[]]),
    [`${thousands(tasks)} ${tasks === 1 ? "task" : "tasks"}`, "memory", "crashes", "EIO", "failed forks"].map(
      (text) => ({
        text,
        paint: colors.bold,
      }),
    ),
    ...designs.map((one) => [
      one.name,
      sizeOf(one.memoryBytes),
      mark(million(one.crashes), one.crashes, colors.red),
      million(one.refusals),
      mark(perCent(one.failedForks), one.failedForks, colors.red),
    ]),
  ]);
  return columns(rows, ["left", "right", "right", "right", "right"], 0);
}

function mark(text: string, { count }: Frequency, paint: (text: string) => string): TableCell | string {
  return count === 0 ? text : { text, paint };
}

/** Measures whose paired difference from the baseline is certain at 99 %. */
function differences({ tasks, designs }: TasksResult, baseline: string, { width }: Look): string {
  const lines = designs.flatMap((one) => {
    const told = differencesOf(one);
    return told.length === 0 ? [] : [`${one.name}: ${told.join("; ")}.`];
  });
  if (lines.length === 0) return "";
  const head = `Beside ${baseline} on the same events, ${thousands(tasks)} tasks:`;
  return `${[head, ...lines.flatMap((line) => wrap(line, width - 4).map((part, at) => (at === 0 ? `  ${part}` : `    ${part}`)))].join("\n")}\n`;
}

function differencesOf({ difference }: DesignResult): string[] {
  if (difference === null) return [];
  const parts: readonly [Estimate, string, number, string][] = [
    [difference.crashes, "crashes a million", 1e6, ""],
    [difference.refusals, "EIO a million", 1e6, ""],
    [difference.failedForks, "of forks fail", 100, " %"],
  ];
  return parts.flatMap(([{ mean, ci99 }, what, scale, unit]) => {
    if (ci99[0] <= 0 && ci99[1] >= 0) return [];
    const figure = (value: number) => {
      const scaled = Math.abs(value) * scale;
      return scaled >= 100 ? thousands(Math.round(scaled)) : String(Number(scaled.toPrecision(2)));
    };
    const [near, far] = mean < 0 ? [ci99[1], ci99[0]] : ci99;
    return [`${figure(mean)}${unit} ${mean < 0 ? "fewer" : "more"} ${what} (${figure(near)} to ${figure(far)})`];
  });
}

function depths({ depths: { operations, deepestBytes, taskOnly, withInterrupts } }: MachineDocument): string {
  if (operations === 0) return "No operation was begun.";
  const beyond = (curve: MachineDocument["depths"]["taskOnly"], bytes: number) =>
    thousands(Math.round(shareBeyond(curve, bytes) * 1e6));
  const shares = [4096, 8192, 16_384]
    .map((bytes) => `${beyond(taskOnly, bytes)} and ${beyond(withInterrupts, bytes)} beyond ${bytes / 1024} KiB`)
    .join(", ");
  return (
    `Of ${thousands(operations)} operations the deepest took ${thousands(deepestBytes.taskOnly)} bytes by itself, and with interrupts ` +
    `on the same stack ${thousands(deepestBytes.withInterrupts)}; of a million went deeper, by themselves and with interrupts: ${shares}.`
  );
}

function limits(): string {
  return (
    "A crash is one operation that overflows a stack; the machine then goes on. A fork fails where " +
    `reclaim of ${RECLAIM_PAGES} pages a round found no block in its rounds: Linux 2.6 would hang there or kill. Neither CPU time, swap, compaction ` +
    "nor grouping by mobility is modelled: docs/simulate-machine.md."
  );
}
