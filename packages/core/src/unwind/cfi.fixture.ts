/** Call frame information made by hand, for tests. */
import type { DebugSection } from "../debuginfo/elf/debug-section.ts";

export const u16 = (value: number) => [value & 255, (value >> 8) & 255];
export const u32 = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
export const u64 = (value: bigint) => Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(i * 8)) & 255n));

export function uleb(value: number): number[] {
  const low = value & 127;
  return value < 128 ? [low] : [low | 128, ...uleb(Math.floor(value / 128))];
}

export interface CieParts {
  readonly version?: number;
  readonly augmentation?: string;
  /** Data of the augmentation, behind its length. */
  readonly data?: readonly number[];
  readonly instructions?: readonly number[];
  /** One byte: SLEB128 of the data alignment. -8 unless given. */
  readonly dataAlignment?: number;
}

/** What GCC begins every function of x86_64 with: CFA = RSP + 8, return address at CFA - 8. */
export const GCC_START = [0x0c, 7, 8, 0x80 | 16, 1];

const text = (value: string) => [...value].map((letter) => letter.charCodeAt(0));

/** Entries of one section, put one behind the other. */
export class CfiBuilder {
  readonly bytes: number[] = [];
  readonly #isEh: boolean;
  readonly #wide: boolean;

  constructor(kind: "debug_frame" | "eh_frame", wide = false) {
    this.#isEh = kind === "eh_frame";
    this.#wide = wide;
  }

  /** @returns its offset */
  cie(parts: CieParts = {}): number {
    const version = parts.version ?? (this.#isEh ? 1 : 4);
    const augmentation = parts.augmentation ?? "";
    return this.#entry(this.#isEh ? 0 : -1, [
      version,
      ...text(`${augmentation}\0`),
      ...(version === 4 ? [8, 0] : []),
      1,
      ...[(parts.dataAlignment ?? -8) & 127],
      16,
      ...(augmentation.startsWith("z") ? [...uleb(parts.data?.length ?? 0), ...(parts.data ?? [])] : []),
      ...(parts.instructions ?? GCC_START),
    ]);
  }

  /** @param range the encoded start and size, behind them the length of the augmentation's data where there is one */
  fde(cie: number, range: readonly number[], instructions: readonly number[]): number {
    return this.#entry(cie, [...range, ...instructions]);
  }

  /** Offset in the section of an FDE's start address that is added next. */
  get nextRange(): number {
    return this.bytes.length + (this.#wide ? 12 + (this.#isEh ? 4 : 8) : 8);
  }

  section(): DebugSection {
    return sectionOf(Uint8Array.from(this.bytes));
  }

  #entry(cie: number, body: readonly number[]): number {
    const offset = this.bytes.length;
    const idSize = this.#wide && !this.#isEh ? 8 : 4;
    const length = body.length + idSize;
    const head = this.#wide ? [...u32(0xffff_ffff), ...u64(BigInt(length))] : u32(length);
    const field = offset + head.length;
    // .eh_frame counts back from the field, .debug_frame from the section's start.
    const isCie = this.#isEh ? cie === 0 && body[0]! <= 4 && offset === 0 : cie === -1;
    const value = isCie ? (this.#isEh ? 0n : -1n) : BigInt(this.#isEh ? field - cie : cie);
    this.bytes.push(...head, ...(idSize === 8 ? u64(value) : u64(value).slice(0, 4)), ...body);
    return offset;
  }
}

export function sectionOf(bytes: Uint8Array): DebugSection {
  return {
    name: "cfi",
    size: bytes.length,
    bytes: (offset, length) =>
      offset >= 0 && length >= 0 && offset + length <= bytes.length ? bytes.subarray(offset, offset + length) : null,
    cstring: () => null,
  };
}
