/** What `check` prints: the verdict, the way to what is wrong, what was asked, and what the answer is about. */
import type { CheckDocument, CheckState, CheckVerdict, Preset, TaskState } from "@spillway/core";
import type { Terminal } from "../terminal.ts";
import { thousands } from "../text/hex.ts";
import { printable } from "../text/printable.ts";
import { wrap } from "../text/wrap.ts";

const TITLES: Readonly<Record<CheckVerdict, string>> = {
  holds: "Holds",
  deadlock: "Deadlock",
  violated: "Violated",
  incomplete: "Incomplete",
};

/** Places in the model that are listed at most. */
const PLACES = 8;

/**
 * The result of a check as text.
 * @param name the model's, as it was given
 * @param title what it is a model of; null where only its author knows
 */
export function formatCheck(document: CheckDocument, name: string, title: string | null, terminal: Terminal): string {
  const { colors } = terminal;
  const paint = { holds: colors.green, deadlock: colors.red, violated: colors.red, incomplete: colors.yellow };
  const head = `${colors.bold(paint[document.verdict](TITLES[document.verdict]))} · ${printable(name)}\n`;
  const reason = document.reason === null ? "" : paragraph(sentence(document.reason), terminal, "  ");
  const parts = [
    `${head}${title === null ? "" : paragraph(sentence(title), terminal, "  ")}`,
    reason,
    trace(document, terminal),
    cycle(document, terminal),
    asked(document, terminal),
    unreached(document, terminal),
    `${paragraph(counted(document), terminal, "  ")}${paragraph(bounds(document), terminal, "  ")}`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** The presets, one a line. */
export function formatPresets(presets: readonly Preset[], terminal: Terminal): string {
  const widest = Math.max(...presets.map(({ name }) => name.length));
  const room = terminal.width - widest - 4;
  return presets
    .map(({ name, title }) => {
      const [first, ...rest] = wrap(title, Math.max(20, room));
      const more = rest.map((line) => `${" ".repeat(widest + 4)}${line}\n`);
      return `  ${terminal.colors.bold(name.padEnd(widest))}  ${first}\n${more.join("")}`;
    })
    .join("");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function paragraph(text: string, terminal: Terminal, indent: string, hang = indent): string {
  return wrap(printable(text), terminal.width - hang.length)
    .map((line, index) => `${index === 0 ? indent : hang}${line}\n`)
    .join("");
}

function trace({ trace: steps }: CheckDocument, terminal: Terminal): string {
  if (steps.length === 0) return "";
  const { colors } = terminal;
  const digits = String(steps.length).length;
  const hang = " ".repeat(digits + 4);
  const lines = steps.map(({ step, task, action, at, state }) => {
    const number = `  ${String(step).padStart(digits)}  `;
    const place = colors.dim(printable(`  ${at}`));
    return `${number}${colors.bold(printable(task))} ${printable(action)}${place}\n${paragraph(inWords(state), terminal, `${hang}  `)}`;
  });
  const title = `The shortest way there, ${steps.length === 1 ? "1 step" : `${thousands(steps.length)} steps`}`;
  return `${colors.bold(title)}\n${lines.join("")}`;
}

/** "2 of 2 stacks in use; writer 1 holds an extra stack, waits for lock inode; …" */
function inWords({ inUse, total, variables, tasks }: CheckState): string {
  const values = Object.entries(variables).map(([name, value]) => `${name} = ${value}`);
  const busy = tasks.map(doing).filter((text) => text !== "");
  const stacks = total === 0 ? [] : [`${inUse} of ${total} ${total === 1 ? "stack" : "stacks"} in use`];
  return [...stacks, ...values, ...busy].join("; ");
}

function doing({ task, holds, waitsFor }: TaskState): string {
  const held = holds.length === 0 ? [] : [`holds ${holds.join(" and ")}`];
  const waits = waitsFor === null ? [] : [`waits for ${waitsFor}`];
  const all = [...held, ...waits].join(", ");
  return all === "" ? "" : `${task} ${all}`;
}

function cycle({ cycle: sentences }: CheckDocument, terminal: Terminal): string {
  if (sentences.length === 0) return "";
  const title = sentences.length === 1 ? "What it waits for" : "Each waits for the next";
  const lines = sentences.map((text) => paragraph(text, terminal, "  ", "    "));
  return `${terminal.colors.bold(title)}\n${lines.join("")}`;
}

function asked({ properties }: CheckDocument, { colors, width }: Terminal): string {
  const mark = { true: colors.green("yes"), false: colors.red("no "), null: colors.yellow("?  ") };
  const lines = properties.map(({ text, holds }) => {
    const [first, ...rest] = wrap(printable(text), width - 7);
    return `  ${mark[`${holds}`]}  ${first}\n${rest.map((line) => `       ${line}\n`).join("")}`;
  });
  return `${colors.bold("Asked")}\n${lines.join("")}`;
}

function unreached({ neverReached }: CheckDocument, terminal: Terminal): string {
  if (neverReached.length === 0) return "";
  const shown = neverReached.slice(0, PLACES).join(", ");
  const more = neverReached.length > PLACES ? ` and ${neverReached.length - PLACES} more` : "";
  return paragraph(`No task ever comes to ${shown}${more}: nothing is shown of what stands there.`, terminal, "  ");
}

function counted({ states, distinct, depth, symmetry, memoryBytes }: CheckDocument): string {
  const memory =
    memoryBytes < 2 ** 20 ? `${Math.ceil(memoryBytes / 1024)} KiB` : `${Math.ceil(memoryBytes / 2 ** 20)} MiB`;
  const how = symmetry ? "identical tasks taken for one another" : "no symmetry";
  return `${thousands(states)} states generated, ${thousands(distinct)} distinct, depth ${thousands(depth)}; ${memory}; ${how}`;
}

/** "for 2 tasks writer, 1 task flusher, 2 stacks (policy sleep), 1 lock; says nothing of larger ones" */
function bounds({ bounds: { tasks, stacks, policy, locks, workers, resources } }: CheckDocument): string {
  const named = (counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
  const parts = [
    ...Object.entries(tasks).map(([name, count]) => `${plural(count, "task")} ${name}`),
    ...(stacks === 0 ? [] : [`${plural(stacks, "stack")} (policy ${policy})`]),
    plural(locks, "lock"),
    ...Object.entries(workers).map(([name, count]) => `${plural(count, "worker")} of ${name}`),
    ...named(resources),
  ];
  return `for ${parts.join(", ")}; says nothing of larger ones`;
}
