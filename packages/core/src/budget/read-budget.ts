/** Reads a budget back that `budget --json` printed, and holds it to the form that the questions rely on. */
import { SpillwayError } from "../errors.ts";
import { BUDGET_SCHEMA, type BudgetDocument } from "./budget-document.ts";
import { BUDGET_LEVELS, LEVEL_KEYS } from "./levels.ts";

function refuse(what: string): never {
  throw new SpillwayError("SPW_BUDGET_INVALID", `this is no budget that Spillway printed: ${what}`, {
    facts: { what },
    hint: `spillway budget INPUT --json prints one, with "schema": "${BUDGET_SCHEMA}"`,
  });
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(`${where} is no object`);
  return value as Fields;
}

function text(fields: Fields, name: string, where: string): void {
  if (typeof fields[name] !== "string") refuse(`${where}.${name} is no text`);
}

function textOrNull(fields: Fields, name: string, where: string): void {
  if (fields[name] !== null) text(fields, name, where);
}

function bytes(fields: Fields, name: string, where: string): void {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    refuse(`${where}.${name} is no count of bytes`);
}

function list(fields: Fields, name: string, where: string, each: (value: unknown, where: string) => void): void {
  const value = fields[name];
  if (!Array.isArray(value)) refuse(`${where}.${name} is no list`);
  (value as unknown[]).forEach((one, at) => {
    each(one, `${where}.${name}[${at}]`);
  });
}

/**
 * @param json what `budget --json` printed
 * @throws SpillwayError `SPW_BUDGET_INVALID` where it is anything else. What the comparisons of diff.ts look at is checked.
 */
export function readBudget(json: string): BudgetDocument {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    refuse("it is no JSON");
  }
  const fields = fieldsOf(value, "the document");
  if (fields.schema !== BUDGET_SCHEMA)
    refuse(`its schema is ${JSON.stringify(fields.schema)?.slice(0, 80) ?? "not told"}`);
  const kernel = fieldsOf(fields.kernel, "kernel");
  textOrNull(kernel, "release", "kernel");
  bytes(fields, "stackBytes", "document");
  list(fields, "functions", "document", (one, where) => {
    const own = fieldsOf(one, where);
    text(own, "id", where);
    text(own, "name", where);
    textOrNull(own, "module", where);
    bytes(own, "frameBytes", where);
  });
  list(fields, "entries", "document", (one, where) => {
    const own = fieldsOf(one, where);
    text(own, "name", where);
    text(own, "kind", where);
    textOrNull(own, "module", where);
    const bounds = fieldsOf(own.bounds, `${where}.bounds`);
    for (const level of BUDGET_LEVELS) bytes(bounds, LEVEL_KEYS[level], `${where}.bounds`);
  });
  list(fields, "cycles", "document", (one, where) => {
    const own = fieldsOf(one, where);
    if (!BUDGET_LEVELS.some((level) => level === own.level)) refuse(`${where}.level is none`);
    bytes(own, "functionCount", where);
    bytes(own, "roundBytes", where);
    list(own, "functions", where, (id, at) => {
      if (typeof id !== "string") refuse(`${at} is no text`);
    });
  });
  return value as BudgetDocument;
}

/**
 * The same for a budget whose call graph is asked for as well: everything that `openSavedBudget` builds on is checked.
 * @throws SpillwayError `SPW_BUDGET_INVALID`
 */
export function readWholeBudget(json: string): BudgetDocument {
  const document = readBudget(json);
  const fields = document as unknown as Fields;
  if (typeof fields.slotsWhole !== "boolean") refuse("slotsWhole is not told: it was made by an older Spillway");
  const count = document.functions.length;
  const index = (value: unknown, end: number, where: string): void => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value >= end) {
      refuse(`${where} is no number of one`);
    }
  };
  list(fields, "sets", "document", (one, where) => {
    const own = fieldsOf(one, where);
    text(own, "label", where);
    list(own, "members", where, (member, at) => index(member, count, at));
  });
  list(fields, "functions", "document", (one, where) => {
    const own = fieldsOf(one, where);
    if (!/^0x[0-9a-f]{1,16}$/.test(String(own.address))) refuse(`${where}.address is no address`);
    if (typeof own.returns !== "boolean") refuse(`${where}.returns is not told`);
    list(own, "calls", where, (call, at) => {
      const fields = fieldsOf(call, at);
      // Below zero: cold parts that lie before their function, and assembler that takes something off its caller's stack.
      for (const name of ["offset", "depthBytes"]) {
        if (!Number.isSafeInteger(fields[name])) refuse(`${at}.${name} is no number`);
      }
      for (const name of ["set", "assumedSet"]) {
        if (fields[name] !== null) index(fields[name], document.sets.length, `${at}.${name}`);
      }
      list(fields, "targets", at, (id, target) => {
        if (typeof id !== "string") refuse(`${target} is no text`);
      });
    });
  });
  list(fields, "entries", "document", (one, where) => {
    const own = fieldsOf(one, where);
    text(own, "function", where);
    text(own, "stack", where);
    text(own, "why", where);
    bytes(own, "baseBytes", where);
    bytes(own, "randomOffsetBytes", where);
  });
  return document;
}
