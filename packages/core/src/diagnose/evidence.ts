/** Evidence: what was found, each item with an address that a person can check. */
import type { Evidence } from "./diagnosis.ts";

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Collects evidence in the order it is found; an id stands once (the first one said wins). */
export class EvidenceLog {
  readonly #items = new Map<string, Evidence>();
  readonly missing: string[] = [];

  /** @param address where to check it, or null */
  add(id: string, address: bigint | null, text: string): void {
    if (!this.#items.has(id)) this.#items.set(id, { id, address: address === null ? null : hex(address), text });
  }

  miss(text: string): void {
    if (!this.missing.includes(text)) this.missing.push(text);
  }

  has(id: string): boolean {
    return this.#items.has(id);
  }

  get items(): readonly Evidence[] {
    return [...this.#items.values()];
  }
}
