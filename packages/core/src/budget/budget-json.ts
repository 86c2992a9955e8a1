/** A budget's document as JSON, piece by piece: whole it would take more memory than all the rest. */
import type { Budget } from "./budget.ts";
import type { BudgetEntry, PathStep } from "./budget-document.ts";
import { functionLines, setLines } from "./function-lines.ts";

/** Pieces are put together up to this length. */
const PIECE = 1 << 16;

/**
 * The text of `budget.document()`: one line for each function, set and entry, so that tools which go by lines can read it too.
 */
export function* budgetJson(budget: Budget): Iterable<string> {
  let text = "";
  for (const line of lines(budget)) {
    text += line;
    if (text.length < PIECE) continue;
    yield text;
    text = "";
  }
  yield text;
}

function* lines(budget: Budget): Iterable<string> {
  const { problems, ...summary } = budget.summary;
  yield "{\n";
  for (const [name, value] of Object.entries(summary)) {
    if (name === "entries") yield* list(name, entryLines(summary.entries));
    else if (Array.isArray(value)) {
      yield* list(
        name,
        value.map((item) => JSON.stringify(item)),
      );
    } else yield `${JSON.stringify(name)}: ${JSON.stringify(value)},\n`;
  }
  yield* list("functions", functionLines(budget));
  yield* list("sets", setLines(budget));
  yield `"problems": ${JSON.stringify(problems)}\n}\n`;
}

/** Entries share the steps that their paths have in common, and so these have their text in common. */
function* entryLines(entries: readonly BudgetEntry[]): Iterable<string> {
  const texts = new Map<PathStep, string>();
  for (const { path, ...entry } of entries) {
    let steps = "";
    for (const step of path) {
      const text = texts.get(step) ?? JSON.stringify(step);
      texts.set(step, text);
      steps += steps === "" ? text : `,${text}`;
    }
    yield `${JSON.stringify(entry).slice(0, -1)},"path":[${steps}]}`;
  }
}

function* list(name: string, items: Iterable<string>): Iterable<string> {
  yield `${JSON.stringify(name)}: [`;
  let before = "\n";
  for (const item of items) {
    yield `${before}${item}`;
    before = ",\n";
  }
  yield "\n],\n";
}
