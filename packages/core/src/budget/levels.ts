/**
 * The three ways in which a bound is computed. Each has all the edges of the one before it, and so a bound that is no smaller.
 */
export const BUDGET_LEVELS = ["direct", "slot-matched", "prototype-matched"] as const;

/**
 * - `direct`: only edges that an instruction names (proven). Indirect calls count as nothing but their return address.
 * - `slot-matched`: those, and indirect calls through a known member of a known type (typed).
 * - `prototype-matched`: those, and indirect calls to every function whose address is taken and whose prototype fits (assumed).
 */
export type BudgetLevel = (typeof BUDGET_LEVELS)[number];

/** One value for each level, as documents spell them. */
export interface ByLevel<T> {
  readonly direct: T;
  readonly slotMatched: T;
  readonly prototypeMatched: T;
}

export const LEVEL_KEYS = {
  direct: "direct",
  "slot-matched": "slotMatched",
  "prototype-matched": "prototypeMatched",
} as const satisfies Record<BudgetLevel, keyof ByLevel<unknown>>;

/** Builds one value for each level. */
export function byLevel<T>(make: (level: BudgetLevel, index: number) => T): ByLevel<T> {
  return {
    direct: make("direct", 0),
    slotMatched: make("slot-matched", 1),
    prototypeMatched: make("prototype-matched", 2),
  };
}

/** The same, each when it is first asked for: few questions are about all levels. */
export function lazyByLevel<T>(make: (level: BudgetLevel) => T): ByLevel<T> {
  const made = new Map<BudgetLevel, T>();
  const get = (level: BudgetLevel): T => {
    if (!made.has(level)) made.set(level, make(level));
    return made.get(level) as T;
  };
  return {
    get direct() {
      return get("direct");
    },
    get slotMatched() {
      return get("slot-matched");
    },
    get prototypeMatched() {
      return get("prototype-matched");
    },
  };
}

/** The value of a level. */
export function atLevel<T>(values: ByLevel<T>, level: BudgetLevel): T {
  return values[LEVEL_KEYS[level]];
}
