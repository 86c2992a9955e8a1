/** A budget's document as JSON, piece by piece: whole it would take more memory than all the rest. */
import type { Budget } from "./budget.ts";
import { functionsOf, setsOf } from "./build-document.ts";

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
    if (Array.isArray(value)) yield* list(name, value);
    else yield `${JSON.stringify(name)}: ${JSON.stringify(value)},\n`;
  }
  yield* list("functions", functionsOf(budget));
  yield* list("sets", setsOf(budget));
  yield `"problems": ${JSON.stringify(problems)}\n}\n`;
}

function* list(name: string, items: Iterable<unknown>): Iterable<string> {
  yield `${JSON.stringify(name)}: [`;
  let before = "\n";
  for (const item of items) {
    yield `${before}${JSON.stringify(item)}`;
    before = ",\n";
  }
  yield "\n],\n";
}
