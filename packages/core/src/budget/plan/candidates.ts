/** Which functions could be critical points: hookable, all arguments in registers, sleeping allowed, an error expected. */
import { SpillwayError } from "../../errors.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CType } from "../../types/type-provider.ts";
import type { Budget } from "../budget.ts";
import type { PointReturns } from "../plan-document.ts";
import { KNOWN_POINTS, mayFail, SLEEPERS } from "./known-points.ts";

export interface Candidate {
  readonly f: number;
  readonly returns: PointReturns;
  readonly why: string;
}

/** A function that the person allows, with what it returns where that is said. */
export interface AllowedPoint {
  readonly name: string;
  readonly returns: PointReturns | null;
}

const RETURNS: ReadonlyMap<string, PointReturns> = new Map<string, PointReturns>([
  ["int", "int"],
  ["long", "long"],
  ["ptr", "pointer"],
  ["pointer", "pointer"],
  ["bio", "bio"],
]);

/** Reads "name[:int|long|ptr|bio],…". SPW_PLAN_BAD_POINT for another form. */
export function parsePoints(list: string): AllowedPoint[] {
  return list
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map((word) => {
      const parts = /^([A-Za-z_][\w.]*)(?::(\w+))?$/.exec(word);
      const returns = parts?.[2] === undefined ? null : RETURNS.get(parts[2]);
      if (parts === null || returns === undefined) {
        throw new SpillwayError("SPW_PLAN_BAD_POINT", `"${word}" names no critical point`, {
          class: "usage",
          facts: { word },
          hint: "a function's name, and where it is not known what it returns, one of :int, :long, :ptr or :bio after it",
        });
      }
      return { name: parts[1] as string, returns };
    });
}

/** System V: arguments beyond the sixth register go on the stack. */
const ARGUMENT_REGISTERS = 6;

/**
 * Null where a prototype's arguments all come in general registers, else why not. A struct of at most 16 bytes takes one register
 * for each 8; a larger one, and a variable argument list, are on the stack (System V ABI for AMD64, 3.2.3).
 */
export function argumentsOnStack(prototype: Extract<CType, { kind: "function" }>): string | null {
  let registers = 0;
  for (const { type } of prototype.parameters) {
    const bare = stripTypedefs(type);
    if (bare.kind === "void") return "it takes a variable number of arguments";
    if (bare.kind === "float") return "it takes a floating-point argument";
    if (bare.kind === "struct" || bare.kind === "union") {
      if (bare.size > 16) return "it takes a struct on the stack";
      registers += Math.ceil(bare.size / 8);
    } else registers++;
  }
  return registers > ARGUMENT_REGISTERS ? "it has more arguments than registers" : null;
}

/** How a function of that type can report an error; null where it cannot. */
export function errorKind(returns: CType): PointReturns | null {
  const bare = stripTypedefs(returns);
  if (bare.kind === "pointer") return "pointer";
  if (bare.kind !== "int" || !bare.signed || bare.name.includes("char")) return null;
  return bare.size === 4 ? "int" : bare.size === 8 ? "long" : null;
}

const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa];
/** The five-byte NOP that ftrace leaves where a function's call to __fentry__ was. */
const NOP5 = [0x0f, 0x1f, 0x44, 0x00, 0x00];

/**
 * True where a function begins with the call to __fentry__, or the NOP in its place, after an ENDBR64 where there is one. A call
 * to anything else is a BPF trampoline or a hook that was there already. Null where its bytes cannot be read.
 */
export function isTraceable(budget: Budget, f: number): boolean | null {
  const start = BigInt.asUintN(64, BigInt(budget.graph.functions.start[f] as number));
  const bytes = budget.program.memory.read(start, 9);
  if (bytes === null) return null;
  const at = ENDBR64.every((byte, i) => bytes[i] === byte) ? 4 : 0;
  if (NOP5.every((byte, i) => bytes[at + i] === byte)) return true;
  if (bytes[at] !== 0xe8) return false;
  const relative = new DataView(bytes.buffer, bytes.byteOffset).getInt32(at + 1, true);
  const target = BigInt.asUintN(64, start + BigInt(at + 5 + relative));
  const fentry = budget.program.symbols.byName("__fentry__");
  return fentry === null || target === fentry.address;
}

/** Functions from which direct calls alone lead to one that sleeps (1). */
export function sleeping(budget: Budget): Uint8Array {
  const { firstCaller, sitesTo } = budget.solved.index;
  const found = new Uint8Array(budget.graph.functions.count);
  const queue: number[] = SLEEPERS.flatMap((name) => [...budget.names.all(name)]);
  for (const f of queue) found[f] = 1;
  for (let f = queue.pop(); f !== undefined; f = queue.pop()) {
    for (let at = firstCaller[f] as number; at < (firstCaller[f + 1] as number); at++) {
      const caller = budget.graph.sites.caller[sitesTo[at] as number] as number;
      if (found[caller] === 1) continue;
      found[caller] = 1;
      queue.push(caller);
    }
  }
  return found;
}

export interface CandidateOptions {
  readonly allow?: readonly AllowedPoint[];
  readonly deny?: readonly string[];
}

/**
 * All candidates: what the person allows, the known entry points, and the members of operations tables that may sleep and fail.
 * SPW_PLAN_BAD_POINT for an allowed function that cannot be hooked, or of which it is not known what it returns.
 */
export function findCandidates(budget: Budget, options: CandidateOptions): Candidate[] {
  const denied = new Set(options.deny ?? []);
  const chosen = new Map<number, Candidate>();
  const add = (candidate: Candidate): void => {
    if (!denied.has(budget.graph.functions.name[candidate.f] as string) && !chosen.has(candidate.f)) {
      chosen.set(candidate.f, candidate);
    }
  };
  for (const point of options.allow ?? []) add(allowed(budget, point));
  for (const [name, returns] of KNOWN_POINTS) {
    for (const f of budget.names.all(name)) {
      if (whyNotHooked(budget, f) === null) add({ f, returns, why: "a known entry point" });
    }
  }
  const sleeps = sleeping(budget);
  const atomic = new Set(
    budget.entries
      .filter(({ kind }) => ["interrupt", "exception", "softirq", "timer", "rcu-callback"].includes(kind))
      .map((entry) => entry.f),
  );
  const { sets } = budget.graph;
  for (let set = 0; set < sets.count; set++) {
    const label = sets.label[set] as string;
    if (!mayFail(label)) continue;
    for (let at = sets.start[set] as number; at < (sets.start[set + 1] as number); at++) {
      const f = sets.members[at] as number;
      if (chosen.has(f) || sleeps[f] !== 1 || atomic.has(f)) continue;
      const returns = returnsOf(budget, f);
      // A pointer may be an answer in which no error fits.
      if (returns === null || (returns === "pointer" && label !== "inode_operations.lookup")) continue;
      if (whyNotHooked(budget, f) === null) add({ f, returns, why: `${label}; it can sleep` });
    }
  }
  return [...chosen.values()];
}

function allowed(budget: Budget, { name, returns }: AllowedPoint): Candidate {
  const f = budget.names.find(name);
  const reason = whyNotHooked(budget, f);
  const kind = returns ?? KNOWN_POINTS.get(name) ?? returnsOf(budget, f);
  if (reason === null && kind !== null) return { f, returns: kind, why: "allowed" };
  throw new SpillwayError(
    "SPW_PLAN_BAD_POINT",
    `${name} cannot be a critical point: ${reason ?? "it is not known to return an error"}`,
    {
      class: "usage",
      facts: { name },
      hint:
        reason === null
          ? `say what it returns: ${name}:int, ${name}:long, ${name}:ptr or ${name}:bio`
          : "leave it out of --allow",
    },
  );
}

function prototypeOf(budget: Budget, f: number): Extract<CType, { kind: "function" }> | null {
  const { name, module } = budget.graph.functions;
  const own = module[f] as string | null;
  const types = own === null ? budget.program.types : budget.program.moduleTypes(own);
  return types.func(name[f] as string);
}

/** How a function reports an error, by its own type; null where it cannot, or that is not known. */
export function returnsOf(budget: Budget, f: number): PointReturns | null {
  const prototype = prototypeOf(budget, f);
  return prototype === null ? null : errorKind(prototype.returns);
}

/** Why a function cannot be hooked at all; null where it can. */
export function whyNotHooked(budget: Budget, f: number): string | null {
  const name = budget.graph.functions.name[f] as string;
  // gcc's clones have other arguments than the source says (-fipa-sra, constant propagation), and no BTF.
  if (/\.(isra|constprop|part)\b/.test(name)) return "the compiler changed its arguments";
  if (budget.names.all(name).length > 1) return "several functions have its name, and a hook would take them all";
  if (isTraceable(budget, f) === false) return "ftrace cannot hook it: it has no call to __fentry__";
  const prototype = prototypeOf(budget, f);
  return prototype === null ? null : argumentsOnStack(prototype);
}
