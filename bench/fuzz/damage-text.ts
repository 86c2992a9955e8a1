/** Damages a text as logs are damaged on their way, and as nothing but malice would. */
import type { Random } from "./random.ts";

const NOISE = [
  "random: crng init done",
  "BUG: ",
  "Call Trace:",
  "[    1.000000] ",
  " <TASK>",
  "RIP: 0010:",
  "Code: <",
  "Oops#1 Part2",
  "6,416,1758426,-,ncfrag=0/33;",
  "\x1b[31m",
  "[<ffffffff8107b00b>]",
  "Kernel panic - not syncing: ",
  "((((((((((((((((((((",
  "? ? ? ? ? ?",
  "Linux version 6.1.0",
];

type Change = (text: string, random: Random) => string;

function lines(change: (all: string[], random: Random) => string[]): Change {
  return (text, random) => change(text.split("\n"), random).join("\n");
}

const CHANGES: readonly Change[] = [
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => text.slice(random.below(text.length + 1)),
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
  },
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(NOISE) + text.slice(at);
  },
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + text.slice(at + random.below(200));
  },
  lines((all, random) => all.filter(() => random.below(8) !== 0)),
  lines((all, random) => all.flatMap((line) => (random.below(6) === 0 ? [line, line] : [line]))),
  lines((all, random) => {
    for (let n = 0; n < 10; n++) {
      const [a, b] = [random.below(all.length), random.below(all.length)];
      [all[a], all[b]] = [all[b]!, all[a]!];
    }
    return all;
  }),
  lines((all, random) => all.reverse().slice(0, 1 + random.below(all.length))),
  lines((all, random) => all.map((line) => (random.below(10) === 0 ? random.pick(NOISE) + line : line))),
  // Joined and broken lines, as terminals of some width leave them.
  (text, random) => text.replaceAll("\n", () => (random.below(12) === 0 ? "" : "\n")),
  (text, random) => text.replaceAll(/.{79}/g, (line) => (random.below(2) === 0 ? `${line}\n` : line)),
  (text) => text.replaceAll(/[0-9a-f]{16}/g, "0000000000000000"),
  (text) => text.replaceAll(/[0-9a-f]{16}/g, "ffffffffffffffff"),
];

/** @returns `text` after one to five changes */
export function damageText(text: string, random: Random): string {
  let damaged = text;
  const changes = 1 + random.below(5);
  for (let n = 0; n < changes; n++) damaged = random.pick(CHANGES)(damaged, random);
  return damaged;
}
