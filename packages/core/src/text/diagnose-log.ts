/** From a kernel's log to a verdict. */
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import { SpillwayError } from "../errors.ts";
import type { ConsoleCrash, ConsoleLog } from "./console/report.ts";
import { judgeCanary, judgeStackEnd } from "./judge-canary.ts";
import { judgeControl } from "./judge-control.ts";
import { judgeKasan } from "./judge-kasan.ts";
import { judgeOverflow } from "./judge-overflow.ts";
import { judgePlain } from "./judge-plain.ts";
import { gatherLogFacts, type LogFacts } from "./log-facts.ts";
import { logDiagnosis, type TextOptions } from "./text-diagnosis.ts";
import type { TextHypothesis } from "./text-hypothesis.ts";

/** Diagnoses one crash of a log. @param path what the user named, for `input.path` */
export function diagnoseLog(log: ConsoleLog, crash: ConsoleCrash, path: string, options: TextOptions = {}): Diagnosis {
  const facts = gatherLogFacts(log, crash);
  facts.evidence.add("kernel-said", null, `The kernel said: ${crash.headline.text}`);
  const judged = judgeLog(facts);
  if (facts.code !== null) facts.evidence.add("faulting-instruction", null, `The instruction was ${facts.code.text}`);
  mentionOthers(log, crash, facts.evidence.add.bind(facts.evidence));
  if (crash.cut) facts.evidence.miss("The end of the report: the log breaks off within it.");
  facts.evidence.miss(
    "The stack's own words: a text cannot be checked against the memory it is about, so no verdict from it is certain.",
  );
  return logDiagnosis(facts, judged, path, options);
}

/** The explanations that what the kernel printed leaves open. */
export function judgeLog(facts: LogFacts): TextHypothesis[] {
  const judged: TextHypothesis[] = [
    ...judgeOverflow(facts),
    ...judgeCanary(facts),
    ...judgeStackEnd(facts),
    ...judgeKasan(facts),
  ];
  const explained = judged.some((one) => one.weight >= 0.5);
  if (!explained) judged.push(...judgeControl(facts));
  const settled = judged.some((one) => one.kind === "not-stack-related" && one.weight >= 0.5);
  if (!settled)
    judged.push(
      judgePlain(
        facts,
        judged.some((one) => one.weight >= 0.5),
      ),
    );
  return judged;
}

/** Other reports told of in the evidence. */
const MENTIONED = 5;

function mentionOthers(
  log: ConsoleLog,
  crash: ConsoleCrash,
  add: (id: string, address: null, text: string) => void,
): void {
  const others = log.crashes.filter((one) => one !== crash);
  for (const [index, other] of others.slice(0, MENTIONED).entries()) {
    const when = other.from < crash.from ? "Before it" : "After it";
    const time = other.time === null ? "" : ` at ${other.time.toFixed(3)} s`;
    add(`other-report-${index + 1}`, null, `${when} the log has${time}: ${other.headline.text}`);
  }
  if (others.length > MENTIONED)
    add("other-reports", null, `There are ${others.length - MENTIONED} more reports in the log.`);
}

/** What is said of a text in which no kernel crashes. */
export function noCrash(path: string, log: ConsoleLog): SpillwayError {
  const name = path === "-" ? "standard input" : path;
  return new SpillwayError("SPW_TEXT_NO_CRASH", `${name}: text without a kernel crash in it`, {
    class: "usage",
    facts: { path, lines: log.lines },
    hint: "Give a kernel's log with an oops or panic in it (dmesg, console, pstore), or a dump.",
  });
}
