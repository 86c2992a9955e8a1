/**
 * What tasks do on their kernel stacks: `spillway/machine-profile@1`. An operation is a random walk over *levels*: it begins at one
 * of `start`, goes on by `next` and ends where the chances leave something out of 1. All sizes are bytes, all times microseconds.
 */
import { SpillwayError } from "../../errors.ts";

export const PROFILE_SCHEMA = "spillway/machine-profile@1";

/** From the least to the most, all equally likely. */
export type Range = readonly [least: number, most: number];
/** Names of levels, each with the chance that the operation goes on there; together at most 1. */
export type Chances = Readonly<Record<string, number>>;

export interface Level {
  readonly name: string;
  /** Stack that it adds below the level before. */
  readonly bytes: Range;
  /** CPU time that the operation spends at this depth, on the way down and up: interrupts land here. */
  readonly micros: number;
  /** A critical point stands before it. */
  readonly point: boolean;
  /** An operation that ends here waits for I/O at this depth. */
  readonly sleeps: boolean;
  readonly next: Chances;
}

export interface Handler {
  readonly bytes: Range;
  readonly micros: number;
}

export interface Interrupts {
  /** Hard interrupts a second and CPU; they hit soft interrupts too, and hard ones where `nested`. */
  readonly perSecond: number;
  /** What each leaves on the stack that it hits, whatever stack its handler runs on: pt_regs and the entry's frames. */
  readonly entryBytes: number;
  readonly hard: Handler;
  /** Handlers of hard interrupts can be interrupted themselves: before 2.6.35, unless they asked for IRQF_DISABLED. */
  readonly nested: boolean;
  /** Run as the outermost hard interrupt ends, with this chance; one of them, each as likely as the others. */
  readonly softChance: number;
  readonly soft: readonly Handler[];
}

export interface MachineProfile {
  readonly schema: typeof PROFILE_SCHEMA;
  readonly name: string;
  /** Where its figures come from. */
  readonly source: string;
  /** At the end of each task stack that no frame may use: thread_info and STACK_END_MAGIC. */
  readonly reservedBytes: number;
  readonly start: Chances;
  readonly levels: readonly Level[];
  readonly interrupts: Interrupts;
  /** Mean time between two operations of a task, and of the wait for I/O; exponential. */
  readonly thinkMicros: number;
  readonly sleepMicros: number;
}

/** No operation goes through more levels. */
export const MAX_LEVELS = 64;
/** No profile has more levels, and no figure in it is larger. */
const MOST_LEVELS = 1000;
const LARGEST = 1e12;

function refuse(what: string): never {
  throw new SpillwayError("SPW_MACHINE_BAD_PROFILE", `this is no profile of a machine: ${what}`, {
    facts: { what },
    hint: "spillway simulate machine --print-profile prints one to begin with; docs/simulate-machine.md describes it",
  });
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(`${where} is no object`);
  return value as Fields;
}

function figure(value: unknown, where: string, least = 0): number {
  if (typeof value !== "number" || !(value >= least && value <= LARGEST))
    refuse(`${where} is no number of ${least} or more`);
  return value;
}

function range(value: unknown, where: string): Range {
  const list = Array.isArray(value) ? value : [value, value];
  if (list.length !== 2) refuse(`${where} is neither a number nor [least, most]`);
  const [least, most] = [figure(list[0], where), figure(list[1], where)];
  if (least > most || !Number.isInteger(least) || !Number.isInteger(most))
    refuse(`${where} is no range of whole bytes`);
  return [least, most];
}

function chances(value: unknown, where: string, names: ReadonlySet<string>): Chances {
  let sum = 0;
  const all = Object.entries(fieldsOf(value ?? {}, where)).map(([name, chance]): [string, number] => {
    if (!names.has(name)) refuse(`${where} names a level that is not there: ${JSON.stringify(name.slice(0, 60))}`);
    sum += figure(chance, `${where}.${name}`);
    return [name, chance as number];
  });
  if (sum > 1 + 1e-9) refuse(`the chances in ${where} add up to ${sum}, which is more than 1`);
  return Object.fromEntries(all);
}

function flag(value: unknown, where: string): boolean {
  if (value !== undefined && typeof value !== "boolean") refuse(`${where} is neither true nor false`);
  return value === true;
}

function handler(value: unknown, where: string): Handler {
  const fields = fieldsOf(value, where);
  return { bytes: range(fields.bytes, `${where}.bytes`), micros: figure(fields.micros, `${where}.micros`) };
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string") refuse(`${where} is no text`);
  return value;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) refuse(`${where} is no list`);
  if (value.length > MOST_LEVELS) refuse(`${where} has more than ${MOST_LEVELS} members`);
  return value;
}

/**
 * Reads a profile, JSON, and holds it to its form.
 * @throws SpillwayError SPW_MACHINE_BAD_PROFILE
 */
export function readProfile(json: string): MachineProfile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    refuse("it is no JSON");
  }
  const fields = fieldsOf(value, "the document");
  if (fields.schema !== PROFILE_SCHEMA) refuse(`its schema is not ${JSON.stringify(PROFILE_SCHEMA)}`);
  const levels = list(fields.levels, "levels").map((one, at) => fieldsOf(one, `levels[${at}]`));
  const names = new Set(levels.map((one, at) => text(one.name, `levels[${at}].name`)));
  if (names.size < levels.length) refuse("two levels have one name");
  const start = chances(fields.start, "start", names);
  if (Object.keys(start).length === 0) refuse("start names no level");
  const interrupts = fieldsOf(fields.interrupts, "interrupts");
  const perSecond = figure(interrupts.perSecond, "interrupts.perSecond");
  const hard = handler(interrupts.hard, "interrupts.hard");
  const softChance = figure(interrupts.softChance, "interrupts.softChance");
  const soft = list(interrupts.soft, "interrupts.soft").map((one, at) => handler(one, `interrupts.soft[${at}]`));
  if (softChance > 1) refuse("interrupts.softChance is more than 1");
  if (softChance > 0 && soft.length === 0) refuse("interrupts.soft is empty, but softChance is not 0");
  for (const one of [hard, ...soft]) {
    if ((perSecond / 1e6) * one.micros >= 0.5)
      refuse("interrupts keep a CPU busy: perSecond · micros is half of its time or more");
  }
  return {
    schema: PROFILE_SCHEMA,
    name: text(fields.name, "name"),
    source: text(fields.source ?? "", "source"),
    reservedBytes: figure(fields.reservedBytes, "reservedBytes"),
    start,
    levels: levels.map((one, at) => ({
      name: one.name as string,
      bytes: range(one.bytes, `levels[${at}].bytes`),
      micros: figure(one.micros, `levels[${at}].micros`),
      point: flag(one.point, `levels[${at}].point`),
      sleeps: flag(one.sleeps, `levels[${at}].sleeps`),
      next: chances(one.next, `levels[${at}].next`, names),
    })),
    interrupts: {
      perSecond,
      entryBytes: figure(interrupts.entryBytes, "interrupts.entryBytes"),
      hard,
      nested: flag(interrupts.nested, "interrupts.nested"),
      softChance,
      soft,
    },
    thinkMicros: figure(fields.thinkMicros, "thinkMicros", 1),
    sleepMicros: figure(fields.sleepMicros, "sleepMicros"),
  };
}

/**
 * The same profile with critical points before these levels and no others.
 * @throws SpillwayError SPW_MACHINE_NO_LEVEL
 */
export function withPoints(profile: MachineProfile, names: readonly string[]): MachineProfile {
  const known = profile.levels.map(({ name }) => name);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined) {
    throw new SpillwayError(
      "SPW_MACHINE_NO_LEVEL",
      `the profile has no level ${JSON.stringify(strange.slice(0, 60))}`,
      {
        class: "missing",
        facts: { level: strange, levels: known },
        hint: `its levels are: ${known.slice(0, 20).join(", ")}`,
      },
    );
  }
  return { ...profile, levels: profile.levels.map((level) => ({ ...level, point: names.includes(level.name) })) };
}
