/** Reads a budget back that `budget --json` printed, and holds it to the form that the questions rely on. */
import { SpillwayError } from "../errors.ts";
import { PROGRAM_SOURCES } from "../program/program.ts";
import { BUDGET_SCHEMA, type BudgetDocument, ENTRY_KINDS, ENTRY_STACKS } from "./budget-document.ts";
import { CERTAINTIES, DEPTH_KINDS, SITE_KINDS } from "./call-graph.ts";
import { BUDGET_LEVELS, LEVEL_KEYS } from "./levels.ts";

type Fields = Record<string, unknown>;

/** What columns of 32 bits can hold, as those of a call graph do; no stack is larger. */
const LARGEST = 0x7fffffff;
const CALL_CERTAINTIES = [...CERTAINTIES, "unresolved"] as const;

/**
 * The fields of a document one by one. A document has a million of them, so where in it a field stands is put into words only when
 * it is refused.
 */
class Form {
  readonly #place: (string | number)[] = ["document"];

  refuse(what: string, ...names: readonly string[]): never {
    const place = [...this.#place, ...names].map((part, at) =>
      typeof part === "number" ? `[${part}]` : `${at === 0 ? "" : "."}${part}`,
    );
    refuse(`${place.join("")} ${what}`);
  }

  object(value: unknown): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.refuse("is no object");
    return value as Fields;
  }

  /** An object in a field. */
  within(fields: Fields, name: string, each: (value: Fields) => void): void {
    this.#place.push(name);
    each(this.object(fields[name]));
    this.#place.pop();
  }

  list(fields: Fields, name: string, each: (value: unknown) => void): void {
    const value = fields[name];
    if (!Array.isArray(value)) this.refuse("is no list", name);
    this.#place.push(name, 0);
    for (let at = 0; at < value.length; at++) {
      this.#place[this.#place.length - 1] = at;
      each(value[at]);
    }
    this.#place.length -= 2;
  }

  /** A list of objects. */
  objects(fields: Fields, name: string, each: (value: Fields) => void): void {
    this.list(fields, name, (value) => each(this.object(value)));
  }

  texts(fields: Fields, name: string): void {
    this.list(fields, name, (value) => {
      if (typeof value !== "string") this.refuse("is no text");
    });
  }

  text(fields: Fields, name: string): string {
    const value = fields[name];
    if (typeof value !== "string") this.refuse("is no text", name);
    return value;
  }

  textOrNull(fields: Fields, name: string): void {
    if (fields[name] !== null) this.text(fields, name);
  }

  oneOf(fields: Fields, name: string, known: readonly string[]): void {
    if (!known.includes(fields[name] as string)) this.refuse("is none that is known", name);
  }

  /** A whole number that a column can hold. */
  number(fields: Fields, name: string): number {
    const value = fields[name];
    if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > LARGEST) {
      this.refuse("is no number of bytes", name);
    }
    return value;
  }

  bytes(fields: Fields, name: string): void {
    if (this.number(fields, name) < 0) this.refuse("is less than nothing", name);
  }

  bytesByLevel(fields: Fields, name: string): void {
    this.within(fields, name, (values) => {
      for (const level of BUDGET_LEVELS) this.bytes(values, LEVEL_KEYS[level]);
    });
  }

  flag(fields: Fields, name: string): void {
    if (typeof fields[name] !== "boolean") this.refuse("is neither true nor false", name);
  }

  /** The number of one of so many things. */
  index(value: unknown, count: number, ...names: readonly string[]): void {
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= count) {
      this.refuse("is no number of one", ...names);
    }
  }
}

function refuse(what: string): never {
  throw new SpillwayError("SPW_BUDGET_INVALID", `this is no budget that Spillway printed: ${what}`, {
    facts: { what },
    hint: `spillway budget INPUT --json prints one, with "schema": "${BUDGET_SCHEMA}"`,
  });
}

/**
 * @param json what `budget --json` printed
 * @throws SpillwayError `SPW_BUDGET_INVALID` where it is anything else. What the comparisons of diff.ts look at is checked, and the
 *   interrupts, where it has any.
 */
export function readBudget(json: string): BudgetDocument {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    refuse(json.trim() === "" ? "there is nothing in it" : "it is no JSON");
  }
  const form = new Form();
  const fields = form.object(value);
  const { schema } = fields;
  if (schema !== BUDGET_SCHEMA) {
    refuse(`its schema is ${typeof schema === "string" ? JSON.stringify(schema.slice(0, 80)) : "not told"}`);
  }
  form.within(fields, "kernel", (kernel) => {
    form.text(kernel, "name");
    form.textOrNull(kernel, "release");
    form.oneOf(kernel, "source", PROGRAM_SOURCES);
  });
  form.bytes(fields, "stackBytes");
  form.objects(fields, "functions", (one) => {
    form.text(one, "id");
    form.text(one, "name");
    form.textOrNull(one, "module");
    form.bytes(one, "frameBytes");
  });
  form.objects(fields, "entries", (one) => {
    form.text(one, "name");
    form.textOrNull(one, "module");
    form.oneOf(one, "kind", ENTRY_KINDS);
    form.bytesByLevel(one, "bounds");
  });
  form.objects(fields, "cycles", (one) => {
    form.oneOf(one, "level", BUDGET_LEVELS);
    form.bytes(one, "functionCount");
    form.bytes(one, "roundBytes");
    form.texts(one, "functions");
  });
  if (fields.interrupts !== undefined) {
    form.objects(fields, "interrupts", (one) => {
      form.text(one, "name");
      form.text(one, "extent");
      form.bytesByLevel(one, "bytes");
    });
  }
  return value as BudgetDocument;
}

/**
 * The same for a budget whose call graph is asked for as well: everything that `openSavedBudget` builds on is checked.
 * @throws SpillwayError `SPW_BUDGET_INVALID`
 */
export function readWholeBudget(json: string): BudgetDocument {
  const document = readBudget(json);
  const form = new Form();
  const fields = document as unknown as Fields;
  if (typeof fields.slotsWhole !== "boolean") refuse("slotsWhole is not told: it was made by an older Spillway");
  form.texts(fields, "problems");
  const { functions } = document;
  form.objects(fields, "sets", (one) => {
    form.text(one, "label");
    form.list(one, "members", (member) => form.index(member, functions.length));
  });
  const ids = new Set<string>();
  form.objects(fields, "functions", (one) => {
    const id = form.text(one, "id");
    if (ids.has(id)) form.refuse("is another function's too", "id");
    ids.add(id);
  });
  const known = (fields: Fields, name: string): void => {
    if (!ids.has(form.text(fields, name))) form.refuse("is no function's id", name);
  };
  form.objects(fields, "functions", (one) => {
    const address = addressIn(one.address) ?? form.refuse("is no address of kernel code", "address");
    form.oneOf(one, "frameKind", DEPTH_KINDS);
    form.flag(one, "returns");
    form.objects(one, "calls", (call) => {
      form.oneOf(call, "kind", SITE_KINDS);
      form.oneOf(call, "depthKind", DEPTH_KINDS);
      form.oneOf(call, "certainty", CALL_CERTAINTIES);
      // Below zero: cold parts that lie before their function, and assembler that takes something off its caller's stack.
      const place = address + form.number(call, "offset");
      if (place !== (place | 0)) form.refuse("leads out of the kernel", "offset");
      form.number(call, "depthBytes");
      for (const name of ["set", "assumedSet"]) {
        if (call[name] !== null) form.index(call[name], document.sets.length, name);
      }
      form.texts(call, "targets");
      if (call.certainty !== "proven") return;
      const [callee, ...others] = call.targets as readonly string[];
      if (callee === undefined || others.length > 0 || !ids.has(callee)) form.refuse("are no one function", "targets");
    });
  });
  form.objects(fields, "entries", (one) => {
    known(one, "function");
    form.oneOf(one, "stack", ENTRY_STACKS);
    form.text(one, "why");
    form.bytes(one, "baseBytes");
    form.bytes(one, "randomOffsetBytes");
  });
  return document;
}

/** Kernel code lies in the top 2 GiB, so the low 32 bits are all of an address (see call-graph.ts); null for other addresses. */
function addressIn(value: unknown): number | null {
  if (typeof value !== "string" || !/^0x[0-9a-f]{1,16}$/.test(value)) return null;
  const address = BigInt(value);
  const low = BigInt.asIntN(32, address);
  return BigInt.asUintN(64, low) === address ? Number(low) : null;
}
