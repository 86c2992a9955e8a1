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

/** What decides which paths are kept. */
interface Weighed {
  readonly bytes: number;
  /** The upcalls on it, as numbers of the level's edges. */
  readonly upcalls: readonly number[];
}

/** A path from a function on, its first step apart from those of the path that it goes on with. */
interface Path extends Weighed {
  readonly f: number;
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
  const ofSet = families<Path>(sets.count, more);
  for (let place = functions.count - 1; place >= 0; place--) {
    const f = sequence[place]!;
    if (reached[f] === 0) continue;
    const family = new Family<Path>(more);
    family.addAll(before?.ofFunction[f]);
    const end = { f, upcalls: NO_UPCALLS, next: null, site: -1, certainty: 0, cut: false };
    family.add({ ...end, bytes: functions.ownBytes[f]! });
    for (let at = first[f]!; at < first[f + 1]!; at++) {
      const target = to[at]!;
      if (kind[at] === BARE) {
        family.add({ ...end, bytes: bytes[at]! + RETURN_ADDRESS_BYTES });
        continue;
      }
      const isDirect = kind[at] === DIRECT;
      const goOn = (next: Path, upcalls: readonly number[], cut: boolean): void => {
        const own = bytes[at]! + next.bytes;
        if (family.wants(own)) family.add({ f, bytes: own, upcalls, next, site: site[at]!, certainty: kind[at]!, cut });
      };
      if (!isDirect || position[target]! > place) {
        for (const next of isDirect ? ofFunction[target]! : ofSet[target]!.paths) goOn(next, next.upcalls, false);
        if (isDirect) continue;
      }
      for (const next of (isDirect ? before?.ofFunction : before?.ofSet)?.[target] ?? []) {
        if (!next.upcalls.includes(at)) goOn(next, [...next.upcalls, at], true);
      }
    }
    ofFunction[f] = family.paths;
    for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
      ofSet[setsOf[at]!]!.addAll(family.paths);
    }
  }
  return { ofFunction, ofSet: ofSet.map(({ paths }) => paths) };
}

/**
 * The deepest way to each function that takes at most so many upcalls, none of them twice.
 * @param upcalls at most MOST_UPCALLS
 * @param base bytes in use where a path starts at a function, -1 where none does
 * @returns bytes in use above each function's CFA; -1 where no start reaches it
 */
export function contextsNoUpcallTwice(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  upcalls: number,
  base: Int32Array,
): Int32Array {
  const { functions, sets } = index.graph;
  const { sequence, position } = order;
  const { first, kind, to, bytes, firstSet, setsOf } = index.at(level);
  // Ways that end in an upcall: to functions, and to all members of a set.
  let arriving = families<Weighed>(functions.count, upcalls);
  let arrivingInSet = families<Weighed>(sets.count, upcalls);
  for (let f = 0; f < functions.count; f++)
    if (base[f]! >= 0) arriving[f]!.add({ bytes: base[f]!, upcalls: NO_UPCALLS });
  let before: readonly Family<Weighed>[] | null = null;
  for (let taken = 0; taken <= upcalls; taken++) {
    const more = upcalls - taken;
    const ways = families<Weighed>(functions.count, more);
    const ofSet = families<Weighed>(sets.count, more);
    const next = families<Weighed>(functions.count, more - 1);
    const nextInSet = families<Weighed>(sets.count, more - 1);
    for (let place = 0; place < functions.count; place++) {
      const f = sequence[place]!;
      const family = ways[f]!;
      family.addAll(before?.[f]?.paths);
      family.addAll(arriving[f]!.paths);
      for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
        family.addAll(ofSet[setsOf[at]!]!.paths);
        family.addAll(arrivingInSet[setsOf[at]!]!.paths);
      }
      for (let at = first[f]!; at < first[f + 1]!; at++) {
        if (kind[at] === BARE) continue;
        const isDirect = kind[at] === DIRECT;
        const target = to[at]!;
        const goesBack = isDirect && position[target]! <= place;
        for (const way of family.paths) {
          const below = way.bytes + bytes[at]!;
          if (!goesBack) (isDirect ? ways : ofSet)[target]!.add({ bytes: below, upcalls: way.upcalls });
          if ((isDirect && !goesBack) || more === 0 || way.upcalls.includes(at)) continue;
          (isDirect ? next : nextInSet)[target]!.add({ bytes: below, upcalls: [...way.upcalls, at] });
        }
      }
    }
    before = ways;
    arriving = next;
    arrivingInSet = nextInSet;
  }
  return Int32Array.from(before!, ({ paths }) => paths[0]?.bytes ?? -1);
}

/** Of all paths that it is offered, those one of which is the deepest whatever else is taken; the deepest first. */
class Family<Kept extends Weighed> {
  readonly paths: Kept[] = [];
  readonly #more: number;
  /** Whatever else is taken, one of the paths is left: none that is less deep is wanted. */
  #isWhole = false;

  /** @param more further upcalls that may be taken before these paths, or after them */
  constructor(more: number) {
    this.#more = more;
  }

  /** False where no path of that many bytes is kept, whatever its upcalls. */
  wants(bytes: number): boolean {
    return !this.#isWhole || bytes > this.paths[this.paths.length - 1]!.bytes;
  }

  add(path: Kept): void {
    if (!this.wants(path.bytes)) return;
    const { paths } = this;
    let place = paths.length;
    while (place > 0 && paths[place - 1]!.bytes < path.bytes) place--;
    if (!canHit(paths, 0, place, path.upcalls, NO_UPCALLS, this.#more)) return;
    paths.splice(place, 0, path);
    for (let at = place + 1; at < paths.length; ) {
      if (canHit(paths, 0, at, paths[at]!.upcalls, NO_UPCALLS, this.#more)) at++;
      else paths.splice(at, 1);
    }
    this.#isWhole = !canHit(paths, 0, paths.length, NO_UPCALLS, NO_UPCALLS, this.#more);
  }

  addAll(paths: readonly Kept[] | undefined): void {
    if (paths !== undefined) for (const path of paths) this.add(path);
  }
}

function families<Kept extends Weighed>(count: number, more: number): Family<Kept>[] {
  return Array.from({ length: count }, () => new Family<Kept>(more));
}

/**
 * Whether `taken` and at most `more` further upcalls, none of them among `free`, can have one of the upcalls of each path from `at`
 * up to `end`: where these are taken already, none of the paths is left.
 */
function canHit(
  paths: readonly Weighed[],
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
