/** Somebody who holds a pointer into a range of memory, and what is known of the place. */
import type { StackRange } from "../../kernel/kernel.ts";
import type { FunctionRange } from "../../symbols/symbol-table.ts";

export type PlaceKind = "module-data" | "kernel-data" | "per-cpu" | "slab" | "stack" | "register" | "memory";

/** Where a pointer is kept. */
export interface Place {
  readonly kind: PlaceKind;
  /** For a sentence: "exchange+48 [vandal]", "an object of kmalloc-256 at 0x… (+16)". */
  readonly text: string;
  /** The variable or object that contains it: bytes [low, high); null where its bounds are not known. */
  readonly object: { readonly low: bigint; readonly high: bigint } | null;
  readonly module: string | null;
  /** For slab objects: the cache's name. */
  readonly cache: string | null;
  /** For stacks: which, and whether it is in the part in use (false: left from calls that are over). */
  readonly stack: { readonly range: StackRange; readonly live: boolean; readonly function: string | null } | null;
}

/** Code that is called with the object: a function pointer kept in it. */
export interface Callback {
  /** Where the function pointer is kept. */
  readonly slot: bigint;
  readonly function: FunctionRange;
  /** What the function pointer belongs to by the layout around it ("timer", "work item"), or null. */
  readonly role: string | null;
}

/** The code that writes through the pointer, or may. */
export interface Writer {
  readonly function: FunctionRange;
  /** `stores`: its code loads the pointer and stores through it; `passes`: hands it on; `near`: only kept beside it. */
  readonly certainty: "stores" | "passes" | "near";
  /** How it comes to run: "the callback of the timer", "a function of its module". */
  readonly how: string;
  /** The instruction that stores, or passes the pointer on. */
  readonly at: bigint | null;
}

export interface Holder {
  /** Where the pointer is kept; null for a register. */
  readonly address: bigint | null;
  readonly value: bigint;
  readonly place: Place;
  readonly callbacks: readonly Callback[];
  readonly writer: Writer | null;
}
