/** A bounded cache of pages by number; the least recently used leaves first. */
export class PageCache {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: number): Uint8Array | undefined {
    const page = this.#pages.get(key);
    if (page !== undefined) {
      // A Map keeps insertion order, so taking out and putting back makes it the youngest.
      this.#pages.delete(key);
      this.#pages.set(key, page);
    }
    return page;
  }

  set(key: number, page: Uint8Array): void {
    this.#pages.set(key, page);
    if (this.#pages.size > this.#capacity) {
      for (const oldest of this.#pages.keys()) {
        this.#pages.delete(oldest);
        break;
      }
    }
  }
}
