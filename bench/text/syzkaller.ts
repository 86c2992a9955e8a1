/**
 * Diagnoses every log of syzkaller's pkg/report/testdata/linux/report and compares with the titles in them: what is about a
 * stack must be called so, in the function that the title names or with that function in the evidence; what is not must not.
 *
 *   node bench/text/syzkaller.ts DIR [--all]
 *
 * DIR is that directory of a clone of https://github.com/google/syzkaller. Nothing of it is copied here.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Diagnosis, openText, SpillwayError } from "@spillway/core";

const STACK_TITLE =
  /stack[- ](?:guard|out|is corr|overflow)|corrupted stack end|double fault|use-after-scope|kernel stack (?:regs|frame)/i;
/** Titles that a stack verdict would be false for, though they name one. */
const UNWINDER_TITLE = /kernel stack (?:regs|frame)/i;
const STACK_VERDICTS: ReadonlySet<string> = new Set([
  "stack-buffer-overflow",
  "stack-overflow",
  "irq-stack-overflow",
  "stack-end-corrupted",
  "foreign-write",
  "frame-mismatch",
  "reference-canary-changed",
  "return-address-corrupted",
]);

interface Golden {
  readonly name: string;
  readonly title: string;
  readonly log: string;
}

function readGolden(directory: string, name: string): Golden {
  // The headers end at the first empty line.
  const raw = readFileSync(join(directory, name), "utf8");
  const end = raw.indexOf("\n\n");
  const head = end < 0 ? raw : raw.slice(0, end);
  return { name, title: /^TITLE: (.*)$/m.exec(head)?.[1] ?? "", log: end < 0 ? "" : raw.slice(end + 2) };
}

function bare(name: string | null | undefined): string {
  return (name ?? "").replace(/\.(?:isra|constprop|part|cold|llvm).*$/, "");
}

const [directory, ...flags] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("usage: syzkaller.ts DIR [--all]\n");
  process.exit(2);
}

const counts = { files: 0, crash: 0, thrown: 0, about: 0, kind: 0, same: 0, told: 0, corrupted: 0, falseVerdicts: 0 };
let slowest = { name: "", ms: 0 };
for (const name of readdirSync(directory).sort((a, b) => Number(a) - Number(b))) {
  const golden = readGolden(directory, name);
  counts.files++;
  const start = performance.now();
  let diagnosis: Diagnosis | null = null;
  try {
    diagnosis = openText(golden.log, name).diagnose();
    counts.crash++;
  } catch (error) {
    if (!(error instanceof SpillwayError)) {
      counts.thrown++;
      process.stdout.write(`THROWN    ${name}: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
  const ms = performance.now() - start;
  if (ms > slowest.ms) slowest = { name, ms };
  const about = STACK_TITLE.test(golden.title);
  const verdict = diagnosis?.verdict ?? null;
  const words =
    verdict === null
      ? "no crash"
      : `${verdict.kind} ${verdict.cause ?? ""} (${verdict.confidence}) ${verdict.culprit?.function ?? "-"}`;
  if (!about || UNWINDER_TITLE.test(golden.title)) {
    if (verdict !== null && STACK_VERDICTS.has(verdict.kind)) {
      counts.falseVerdicts++;
      process.stdout.write(`STACK?    ${name.padEnd(5)} ${words} | ${golden.title}\n`);
    } else if (flags.includes("--all"))
      process.stdout.write(`          ${name.padEnd(5)} ${words} | ${golden.title}\n`);
    continue;
  }
  counts.about++;
  const wanted = / in (\S+)$/.exec(golden.title)?.[1] ?? "";
  const kind = verdict !== null && (STACK_VERDICTS.has(verdict.kind) || verdict.kind === "undetermined");
  const same = bare(verdict?.culprit?.function) === bare(wanted);
  const told = diagnosis !== null && JSON.stringify([diagnosis.evidence, verdict?.summary]).includes(wanted);
  if (kind) counts.kind++;
  if (wanted === "corrupted") counts.corrupted++;
  else if (same) counts.same++;
  else if (told) counts.told++;
  const mark = wanted === "corrupted" ? "no-name" : same ? "same" : told ? "told" : "OTHER";
  process.stdout.write(`${mark.padEnd(9)} ${name.padEnd(5)} ${words} | ${golden.title}\n`);
}
process.stdout.write(
  `\n${counts.files} logs, ${counts.crash} with a crash; ${counts.thrown} threw; slowest ${slowest.name}: ${slowest.ms.toFixed(1)} ms\n` +
    `${counts.about} about a stack: ${counts.same} the title's function, ${counts.told} another and the title's told of, ` +
    `${counts.corrupted} without a name in the title, ${counts.about - counts.same - counts.told - counts.corrupted} neither; ` +
    `${counts.kind} called a stack's or undetermined\n` +
    `${counts.files - counts.about} about something else: ${counts.falseVerdicts} called a stack's\n`,
);
