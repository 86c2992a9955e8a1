/** What a 64-bit word on a stack could be: a person's first question about a value that should not be there. */
import type { Kernel } from "../kernel/kernel.ts";

export type WordClass =
  | "zero"
  | "repeated-byte"
  | "text"
  | "code-address"
  | "stack-address"
  | "kernel-pointer"
  | "user-pointer"
  | "small-number"
  | "other";

export interface WordMeaning {
  readonly class: WordClass;
  /** For a sentence: `text "AAAA…"`, `an address in vfs_write`. */
  readonly text: string;
}

function bytesOf(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn));
}

export function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Lowest kernel address that user space can never have (canonical upper half). */
const KERNEL_HALF = 0xffff800000000000n;

/** Classifies a word by content. */
export function wordMeaning(kernel: Kernel, value: bigint): WordMeaning {
  const bytes = bytesOf(value);
  const first = bytes[0]!;
  if (value === 0n) return { class: "zero", text: "zero" };
  if (bytes.every((byte) => byte === first)) {
    const shown = isPrintable(first) ? ` ('${String.fromCharCode(first)}')` : "";
    return { class: "repeated-byte", text: `the byte 0x${first.toString(16).padStart(2, "0")}${shown} eight times` };
  }
  const trimmed = trimTrailingZeros(bytes);
  if (trimmed.length >= 4 && trimmed.every(isPrintable)) {
    return { class: "text", text: `text ${JSON.stringify(String.fromCharCode(...trimmed))}` };
  }
  if (value >= KERNEL_HALF) {
    if (kernel.symbols.isText(value)) {
      const at = kernel.symbols.byAddress(value);
      return { class: "code-address", text: `an address in ${at?.symbol.name ?? "kernel code"}` };
    }
    const on = kernel.stackAt(value);
    if (on !== null) return { class: "stack-address", text: `an address on a ${on.stack.kind} stack` };
    if (kernel.memory.translate(value) !== null) return { class: "kernel-pointer", text: "a kernel pointer" };
  } else if (value < 0x10000n) {
    return { class: "small-number", text: `the number ${value}` };
  } else if (value < 0x0000800000000000n && value > 0x10000000n && (value & 7n) === 0n && value >> 40n !== 0n) {
    return { class: "user-pointer", text: "an address in user space" };
  }
  return { class: "other", text: "no known kind of value" };
}

function trimTrailingZeros(bytes: readonly number[]): number[] {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.slice(0, end);
}

/** Which task, other than `except`, has this canary; null where none. */
export function canaryOwner(kernel: Kernel, value: bigint, except: bigint | null) {
  if ((value & 0xffn) !== 0n || value === 0n) return null;
  return kernel.tasks().find((task) => task.canary === value && task.address !== except) ?? null;
}
