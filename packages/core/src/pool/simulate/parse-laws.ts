import { type ArrivalLaw, burstyArrivals, type HoldLaw } from "./laws.ts";
import { badValue } from "./model.ts";

/** Laws as they are written on a command line: `poisson:8`, `exponential:20ms`, `bursty:2/s,5,10s`. */

/** How much hold times vary where nothing is said: lognormal as an exponential law does, hyperexponential twice that. */
export const DEFAULT_CV = { lognormal: 1, hyperexponential: 2 } as const;

const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600 };
const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const DURATION = new RegExp(`^(${NUMBER})\\s*(ns|us|µs|ms|s|min|h)?$`);
const RATE = new RegExp(`^(${NUMBER})(?:/(ns|us|µs|ms|s|min|h))?$`);
const PLAIN = new RegExp(`^${NUMBER}$`);

const ARRIVALS_HINT =
  "poisson:RATE, periodic:RATE, bursty:RATE,PEAK,BURST, mmpp:RATE@TIME,RATE@TIME,… or trace:FILE; a rate is a number a second, or 50/ms.";
const HOLD_HINT =
  "exponential:MEAN, deterministic:MEAN, lognormal:MEAN[,CV], hyperexponential:MEAN[,CV], empirical:FILE or trace; a mean is in seconds, or 20ms.";

/** A time as a person writes it, in seconds. @throws SpillwayError SPW_SIMULATE_BAD_VALUE */
export function parseDuration(text: string, what: string): number {
  const match = DURATION.exec(text.trim());
  const seconds = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] ?? "s"]!;
  if (seconds > 0) return seconds;
  throw badValue(
    `${what}: "${text}" is not a time greater than 0`,
    "A number of seconds, or with a unit: 250us, 20ms, 1.5s.",
  );
}

/** A rate as a person writes it, a second. @throws SpillwayError SPW_SIMULATE_BAD_VALUE */
export function parseRate(text: string, what: string, least: "zero" | "more" = "more"): number {
  const match = RATE.exec(text.trim());
  const rate = match === null ? Number.NaN : Number(match[1]) / UNITS[match[2] ?? "s"]!;
  if (rate > 0 || (least === "zero" && rate === 0)) return rate;
  throw badValue(
    `${what}: "${text}" is not a rate greater than 0`,
    "A number a second, or with a unit: 8, 8/s, 0.2/ms.",
  );
}

function parseNumber(text: string, what: string): number {
  if (PLAIN.test(text.trim())) return Number(text);
  throw badValue(`${what}: "${text}" is not a number`);
}

function split(text: string): { readonly name: string; readonly rest: string; readonly parts: readonly string[] } {
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)).trim().toLowerCase();
  const rest = colon < 0 ? "" : text.slice(colon + 1);
  return { name, rest, parts: rest === "" ? [] : rest.split(",") };
}

/** A law that lies in a file, which the caller has to read. */
export interface LawFile {
  readonly kind: "file";
  readonly path: string;
}

/**
 * How tasks arrive.
 * @returns a file for `trace:FILE`
 * @throws SpillwayError SPW_SIMULATE_BAD_VALUE
 */
export function parseArrivals(text: string): ArrivalLaw | LawFile {
  const { name, rest, parts } = split(text);
  const only = (count: number, form: string): void => {
    if (parts.length !== count) throw badValue(`arrivals: "${text}" should be ${form}`, ARRIVALS_HINT);
  };
  switch (name) {
    case "poisson":
    case "periodic":
      only(1, `${name}:RATE`);
      return { kind: name, rate: parseRate(parts[0]!, "arrivals") };
    case "bursty": {
      only(3, "bursty:RATE,PEAK,BURST");
      const peak = parseNumber(parts[1]!, "peak");
      if (!(peak > 1)) throw badValue(`peak: bursts bring more than the mean rate, so more than 1, not ${parts[1]}`);
      return burstyArrivals(parseRate(parts[0]!, "arrivals"), peak, parseDuration(parts[2]!, "burst"));
    }
    case "mmpp":
      if (parts.length === 0) throw badValue("arrivals: mmpp has no phases", ARRIVALS_HINT);
      return {
        kind: "mmpp",
        phases: parts.map((part) => {
          const [rate, time, more] = part.split("@");
          if (time === undefined || more !== undefined)
            throw badValue(`arrivals: "${part}" should be RATE@TIME`, ARRIVALS_HINT);
          return { rate: parseRate(rate!, "a phase's arrivals", "zero"), meanDuration: parseDuration(time, "a phase") };
        }),
      };
    case "trace":
      if (rest === "") throw badValue("arrivals: trace:FILE needs a file", ARRIVALS_HINT);
      return { kind: "file", path: rest };
    default:
      throw badValue(`arrivals: "${name}" is no law that is known`, ARRIVALS_HINT);
  }
}

/**
 * How long a stack is held, or a sleep lasts.
 * @returns a file for `empirical:FILE`
 * @throws SpillwayError SPW_SIMULATE_BAD_VALUE
 */
export function parseHold(text: string, what = "hold time"): HoldLaw | LawFile {
  const { name, rest, parts } = split(text);
  const upTo = (most: number, form: string): void => {
    if (parts.length < 1 || parts.length > most) throw badValue(`${what}: "${text}" should be ${form}`, HOLD_HINT);
  };
  switch (name) {
    case "exponential":
    case "deterministic":
      upTo(1, `${name}:MEAN`);
      return { kind: name, mean: parseDuration(parts[0]!, what) };
    case "lognormal":
    case "hyperexponential": {
      upTo(2, `${name}:MEAN[,CV]`);
      const cv = parts[1] === undefined ? DEFAULT_CV[name] : parseNumber(parts[1], "coefficient of variation");
      return { kind: name, mean: parseDuration(parts[0]!, what), cv };
    }
    case "empirical":
      if (rest === "") throw badValue(`${what}: empirical:FILE needs a file`, HOLD_HINT);
      return { kind: "file", path: rest };
    case "trace":
      if (rest !== "")
        throw badValue(`${what}: "trace" takes no more words`, "The file is named by --arrivals trace:FILE.");
      return { kind: "trace" };
    default:
      throw badValue(`${what}: "${name}" is no law that is known`, HOLD_HINT);
  }
}
