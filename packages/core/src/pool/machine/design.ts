/** A way of giving tasks kernel stacks: what is compared. Spelled SIZE[+irq][+extra][+vmap], as "4k+irq+extra". */
import { SpillwayError } from "../../errors.ts";
import { MAX_ORDER, PAGE_BYTES } from "./buddy.ts";

export interface Design {
  readonly name: string;
  /** THREAD_SIZE; the stacks for interrupts and the extra ones have the same. */
  readonly stackBytes: number;
  /** Hard and soft interrupts run on stacks of each CPU's own (CONFIG_4KSTACKS), else on the stack that was in use. */
  readonly irqStacks: boolean;
  /** At critical points a task whose stack is full to the threshold goes on on an extra stack, or fails with EIO. */
  readonly extra: boolean;
  /** Stacks of single pages that are mapped together (CONFIG_VMAP_STACK), else physically contiguous. */
  readonly vmap: boolean;
}

/** What all designs of a comparison share. */
export interface PoolSettings {
  /** Extra stacks in all. */
  readonly stacks: number;
  /** Bytes in use from which a point switches; null: half of the stack. */
  readonly thresholdBytes: number | null;
}

/** The designs that the RFC and those before it argued about. */
export const DEFAULT_DESIGNS = ["8k", "4k+irq", "8k+extra", "4k+irq+extra", "16k", "32k"] as const;

const SPELLING = /^(\d{1,4})k((?:\+(?:irq|extra|vmap))*)$/;

function refuse(text: string, why: string): never {
  throw new SpillwayError(
    "SPW_MACHINE_BAD_DESIGN",
    `no design of stacks: ${JSON.stringify(text.slice(0, 40))}: ${why}`,
    {
      class: "usage",
      facts: { design: text },
      hint: "SIZE[+irq][+extra][+vmap], like 8k, 4k+irq or 16k+irq+extra",
    },
  );
}

/** @throws SpillwayError SPW_MACHINE_BAD_DESIGN */
export function parseDesign(text: string): Design {
  const match = SPELLING.exec(text.toLowerCase());
  if (match === null) refuse(text, "not spelled like one");
  const kib = Number(match[1]);
  if (kib < 4 || (kib & (kib - 1)) !== 0 || kib * 1024 > PAGE_BYTES << MAX_ORDER)
    refuse(text, "a stack has 4, 8, 16, … up to 4096 KiB");
  const parts = (match[2] as string).split("+").slice(1);
  if (new Set(parts).size < parts.length) refuse(text, "said twice");
  const has = (part: string) => parts.includes(part);
  const [irqStacks, extra, vmap] = [has("irq"), has("extra"), has("vmap")];
  const name = `${kib}k${irqStacks ? "+irq" : ""}${extra ? "+extra" : ""}${vmap ? "+vmap" : ""}`;
  return { name, stackBytes: kib * 1024, irqStacks, extra, vmap };
}

/** log2 of a stack's pages. */
export function stackOrder({ stackBytes }: Design): number {
  return Math.log2(stackBytes / PAGE_BYTES);
}

/** Bytes in use from which a point of this design switches. */
export function thresholdOf({ stackBytes }: Design, { thresholdBytes }: PoolSettings): number {
  return thresholdBytes ?? stackBytes / 2;
}

/** Bytes that a design takes for stacks: exact. Those of tasks, two of each CPU for interrupts, and the pool. */
export function stackMemory(design: Design, tasks: number, cpus: number, pool: PoolSettings): number {
  const stacks = tasks + (design.irqStacks ? 2 * cpus : 0) + (design.extra ? pool.stacks : 0);
  return stacks * design.stackBytes;
}
