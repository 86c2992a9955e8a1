/** Names of the places in the page that links lead to. */
import type { Diagnosis, StackMap } from "@spillway/core";

/** Where the items of evidence and the addresses they are about stand in the page. */
export class Anchors {
  readonly #evidence: ReadonlyMap<string, number>;
  readonly #words = new Map<string, string>();
  readonly #frames = new Map<number, string>();

  constructor(diagnosis: Diagnosis, map: StackMap | null) {
    this.#evidence = new Map(diagnosis.evidence.map((item, index) => [item.id, index + 1]));
    map?.stacks.forEach((stack, stackIndex) => {
      stack.regions.forEach((region, regionIndex) => {
        const id = Anchors.region(stackIndex, regionIndex);
        if (region.frame !== null && !this.#frames.has(region.frame)) this.#frames.set(region.frame, id);
        const drawn = new Set<string>();
        for (const word of region.words) {
          for (const evidence of word.evidence) {
            this.#words.set(evidence, `w-${word.address.slice(2)}`);
            drawn.add(evidence);
          }
        }
        for (const evidence of region.evidence) if (!drawn.has(evidence)) this.#words.set(evidence, id);
      });
    });
  }

  static region(stack: number, region: number): string {
    return `s${stack}-${region}`;
  }

  /** Number of an item of evidence, from 1. */
  number(evidence: string): number | null {
    return this.#evidence.get(evidence) ?? null;
  }

  /** The mark in the map that an item of evidence is about; null where the map does not show it. */
  markOf(evidence: string): string | null {
    return this.#words.get(evidence) ?? null;
  }

  /** The region of a frame, by its index in the diagnosis. */
  frame(index: number): string | null {
    return this.#frames.get(index) ?? null;
  }
}
