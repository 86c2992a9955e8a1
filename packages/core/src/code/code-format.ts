/** The numbers that columns of instructions are made of. */
export const FLOWS = [
  "next",
  "call",
  "indirect-call",
  "jump",
  "indirect-jump",
  "conditional",
  "return",
  "interrupt",
  /** ud2 and the like: WARN goes on behind it, BUG does not. */
  "trap",
  "invalid",
] as const;
export type Flow = (typeof FLOWS)[number];

/** The flows by number, for comparisons in hot loops. */
export const FLOW = Object.fromEntries(FLOWS.map((name, index) => [name, index])) as Readonly<Record<Flow, number>>;

/** What an operand is. `wordOperand` of another kind (string instructions' implied memory) is OTHER. */
export const OPERAND = { NONE: 0, REGISTER: 1, IMMEDIATE: 2, MEMORY: 3, BRANCH: 4, OTHER: 5 } as const;

/** Operands an instruction can have. */
export const MAX_OPERANDS = 5;

/** Values that are not the sign extension of 32 bits are kept by `instruction * WIDE_KINDS + WIDE_…`. */
export const WIDE_KINDS = 4;
export const WIDE_TARGET = 0;
export const WIDE_IMMEDIATE = 1;
/** The second immediate of an instruction that has two (enter). */
export const WIDE_IMMEDIATE_2 = 2;
export const WIDE_DISPLACEMENT = 3;
