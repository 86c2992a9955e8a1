/** KASAN's account of an access: what was touched, and which objects the stack frame has (mm/kasan/report.c, report_stack.c). */
import { hexNumber, placeIn } from "./code-place.ts";
import type { CodePlace, KasanReport } from "./report.ts";

/** Objects of a frame that are kept: real frames have some dozens at most. */
const MAX_OBJECTS = 256;

export class KasanReader {
  readonly #bug: string;
  #access: KasanReport["access"] = null;
  #bytes: number | null = null;
  #address: bigint | null;
  readonly #objects: { from: number; to: number; name: string }[] = [];
  #frame: CodePlace | null = null;
  #frameExpected = false;
  #offset: number | null = null;

  constructor(bug: string, address: bigint | null) {
    this.#bug = bug;
    this.#address = address;
  }

  /** @returns whether the line belonged to KASAN's account */
  push(text: string): boolean {
    const access = /^(Read|Write) of size (\d{1,9}) at addr ([0-9a-f]{8,16})/.exec(text);
    if (access !== null) {
      this.#access = access[1] === "Read" ? "read" : "write";
      this.#bytes = Number(access[2]);
      this.#address = hexNumber(access[3]);
      return true;
    }
    const offset = /located (?:in stack of task .{0,80} )?at offset (\d{1,9}) in frame/.exec(text);
    if (offset !== null) {
      this.#offset = Number(offset[1]);
      this.#frameExpected = true;
      return true;
    }
    if (this.#frameExpected && this.#frame === null) {
      const place = placeIn(text);
      if (place?.function != null) {
        this.#frame = place;
        this.#frameExpected = false;
        return true;
      }
    }
    // Since 4.0 `[32, 64) 'buf'`, since 5.x with the line: `[32, 64) 'buf' (line 123)`.
    const object = /^\[(\d{1,9}), (\d{1,9})\) '([^']{1,80})'/.exec(text);
    if (object !== null && this.#objects.length < MAX_OBJECTS) {
      this.#objects.push({ from: Number(object[1]), to: Number(object[2]), name: object[3]!.replace(/:\d+$/, "") });
      return true;
    }
    return false;
  }

  report(): KasanReport {
    return {
      bug: this.#bug,
      access: this.#access,
      bytes: this.#bytes,
      address: this.#address,
      objects: this.#objects,
      frame: this.#frame,
      offsetInFrame: this.#offset,
    };
  }
}
