/**
 * The deepest paths that take no upcall twice: what a bound would be that lets a path take several upcalls, but does not let it go
 * round one heavy cycle as often. Two upcalls are the same where the same function calls the same one, or through the same slot.
 *
 * For that it is not enough to know the deepest path from a function on: a caller may have taken one of its upcalls already. But
 * few others are wanted. A path with k upcalls may still get m before it, and whatever these m are, one of at most (k+m)!/k!m!
 * paths is the deepest that has none of them (representative families: Monien, "How to find long paths efficiently", 1985). With
 * four upcalls that is six for each function, so that the search costs some ten times that of the bound, not more with each
 * function. It grows fast with the upcalls that are let.
 */
import type { CallOrder } from "./call-layers.ts";
import type { PathNode } from "./deepest-path.ts";
import { RETURN_ADDRESS_BYTES } from "./depths.ts";
import type { GraphIndex } from "./graph-index.ts";
import { BARE, DIRECT } from "./level-graph.ts";
import type { BudgetLevel } from "./levels.ts";
import { functionsFrom } from "./reachable.ts";

/** Upcalls with which the search is still as short as that. */
export const MOST_UPCALLS = 4;

/** A path from a function on, its first step apart from those of the path that it goes on with. */
interface Path {
  readonly bytes: number;
  readonly f: number;
  /** The upcalls on it, as numbers of the level's edges. */
  readonly upcalls: readonly number[];
  /** Null where it ends. */
  readonly next: Path | null;
  /** How it goes on. */
  readonly site: number;
  readonly certainty: number;
  readonly cut: boolean;
}

export interface NoUpcallTwice {
  /** Bytes from the function's CFA. */
  readonly bytes: number;
  readonly path: readonly PathNode[];
}

/**
 * The deepest path from a function that takes at most so many upcalls, none of them twice.
 * @param upcalls at most MOST_UPCALLS
 */
export function noUpcallTwice(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  upcalls: number,
  start: number,
): NoUpcallTwice {
  const reached = functionsFrom(index, level, start);
  let pass: Families | null = null;
  for (let taken = 0; taken <= upcalls; taken++) pass = onePass(index, order, level, reached, upcalls - taken, pass);
  const deepest = pass!.ofFunction[start]![0]!;
  const path: PathNode[] = [{ f: start, site: -1, certainty: 0, cut: false }];
  for (let at = deepest; at.next !== null; at = at.next) {
    path.push({ f: at.next.f, site: at.site, certainty: at.certainty, cut: at.cut });
  }
  return { bytes: deepest.bytes, path };
}

/** Paths with at most so many upcalls as passes were made before, the deepest first: from each function, and from a set's members. */
interface Families {
  readonly ofFunction: readonly (readonly Path[])[];
  readonly ofSet: readonly (readonly Path[])[];
}

const NO_PATHS: readonly Path[] = [];
const NO_UPCALLS: readonly number[] = [];

/** @param more upcalls that callers may still take before these paths */
function onePass(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  reached: Uint8Array,
  more: number,
  before: Families | null,
): Families {
  const { functions, sets } = index.graph;
  const { sequence, position } = order;
  const { first, kind, to, bytes, site, firstSet, setsOf } = index.at(level);
  const ofFunction: (readonly Path[])[] = new Array(functions.count).fill(NO_PATHS);
  const ofSet = Array.from({ length: sets.count }, () => new Family(more));
  for (let place = functions.count - 1; place >= 0; place--) {
    const f = sequence[place]!;
    if (reached[f] === 0) continue;
    const family = new Family(more);
    for (const path of before?.ofFunction[f] ?? NO_PATHS) family.add(path);
    const end = (own: number): void => {
      family.offer(own, NO_UPCALLS, f, null, -1, 0, false);
    };
    end(functions.ownBytes[f]!);
    for (let at = first[f]!; at < first[f + 1]!; at++) {
      const target = to[at]!;
      const own = bytes[at]!;
      if (kind[at] === BARE) {
        end(own + RETURN_ADDRESS_BYTES);
        continue;
      }
      const isAhead = kind[at] !== DIRECT || position[target]! > place;
      const ahead = kind[at] === DIRECT ? ofFunction[target]! : ofSet[target]!.paths;
      const back = kind[at] === DIRECT ? before?.ofFunction[target] : before?.ofSet[target];
      if (isAhead) {
        for (const next of ahead) family.offer(own + next.bytes, next.upcalls, f, next, site[at]!, kind[at]!, false);
      }
      if (isAhead && kind[at] === DIRECT) continue;
      for (const next of back ?? NO_PATHS) {
        if (next.upcalls.includes(at)) continue;
        family.offer(own + next.bytes, [...next.upcalls, at], f, next, site[at]!, kind[at]!, true);
      }
    }
    ofFunction[f] = family.paths;
    for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
      for (const path of family.paths) ofSet[setsOf[at]!]!.add(path);
    }
  }
  return { ofFunction, ofSet: ofSet.map(({ paths }) => paths) };
}

/** Of all paths that it is offered, those one of which is the deepest whatever its caller has taken; the deepest first. */
class Family {
  readonly paths: Path[] = [];
  readonly #more: number;
  /** Whatever a caller has taken, one of the paths is left to it: none that is less deep is wanted. */
  #isWhole = false;

  /** @param more upcalls that callers may take before */
  constructor(more: number) {
    this.#more = more;
  }

  add(path: Path): void {
    const at = this.#placeFor(path.bytes, path.upcalls);
    if (at >= 0) this.#insert(at, path);
  }

  offer(
    bytes: number,
    upcalls: readonly number[],
    f: number,
    next: Path | null,
    site: number,
    certainty: number,
    cut: boolean,
  ): void {
    const at = this.#placeFor(bytes, upcalls);
    if (at >= 0) this.#insert(at, { bytes, upcalls, f, next, site, certainty, cut });
  }

  /** -1 where it is never the deepest. */
  #placeFor(bytes: number, upcalls: readonly number[]): number {
    let at = this.paths.length;
    if (this.#isWhole && bytes <= this.paths[at - 1]!.bytes) return -1;
    while (at > 0 && this.paths[at - 1]!.bytes < bytes) at--;
    return canHit(this.paths, 0, at, upcalls, NO_UPCALLS, this.#more) ? at : -1;
  }

  #insert(place: number, path: Path): void {
    const { paths } = this;
    paths.splice(place, 0, path);
    for (let at = place + 1; at < paths.length; ) {
      if (canHit(paths, 0, at, paths[at]!.upcalls, NO_UPCALLS, this.#more)) at++;
      else paths.splice(at, 1);
    }
    this.#isWhole = !canHit(paths, 0, paths.length, NO_UPCALLS, NO_UPCALLS, this.#more);
  }
}

/**
 * Whether a caller that has taken `taken` and at most `more` further upcalls, none of them among `free`, can have taken one of
 * each path's from `at` up to `end`, so that none of these paths is left to it.
 */
function canHit(
  paths: readonly Path[],
  at: number,
  end: number,
  free: readonly number[],
  taken: readonly number[],
  more: number,
): boolean {
  if (at === end) return true;
  const { upcalls } = paths[at]!;
  for (const upcall of upcalls) if (taken.includes(upcall)) return canHit(paths, at + 1, end, free, taken, more);
  if (more === 0) return false;
  for (const upcall of upcalls) {
    if (free.includes(upcall)) continue;
    if (canHit(paths, at + 1, end, free, [...taken, upcall], more - 1)) return true;
  }
  return false;
}
