import { SpillwayError } from "@spillway/core";

/** The Debian kernel series that the lab knows. */
export const KERNEL_SERIES = ["6.1", "6.12"] as const;
export type KernelSeries = (typeof KERNEL_SERIES)[number];

/**
 * How memory gets into a file: QEMU's ELF core, QEMU's kdump-compressed file, or the way of real machines (kexec into a
 * crash kernel and makedumpfile there).
 */
export const CAPTURES = ["qemu-elf", "qemu-kdump", "kdump"] as const;
export type Capture = (typeof CAPTURES)[number];

/** Page compression of the two kdump captures. */
export const CODECS = ["zlib", "lzo", "snappy"] as const;
export type Codec = (typeof CODECS)[number];

/** One way of running a scenario. */
export interface LabVariant {
  readonly kernel: KernelSeries;
  readonly capture: Capture;
  /** Null for `qemu-elf`, which does not compress. */
  readonly codec: Codec | null;
  /** Five levels of page tables instead of four. */
  readonly la57: boolean;
}

/** What the command line leaves open. */
export interface VariantRequest {
  readonly kernel?: string | undefined;
  readonly capture?: string | undefined;
  readonly codec?: string | undefined;
  readonly la57?: boolean | undefined;
}

function oneOf<T extends string>(what: string, values: readonly T[], given: string | undefined, fallback: T): T {
  if (given === undefined) return fallback;
  const found = values.find((value) => value === given);
  if (found !== undefined) return found;
  throw new SpillwayError("SPW_LAB_BAD_OPTION", `there is no ${what} "${given}"`, {
    class: "usage",
    facts: { option: what, given, known: values },
    hint: `choose one of: ${values.join(", ")}`,
  });
}

/**
 * Checks what was asked for and fills in the rest (6.12, qemu-elf, zlib, four levels).
 * @throws SpillwayError SPW_LAB_BAD_OPTION
 */
export function resolveVariant(request: VariantRequest): LabVariant {
  const kernel = oneOf("kernel", KERNEL_SERIES, request.kernel, "6.12");
  const capture = oneOf("capture", CAPTURES, request.capture, "qemu-elf");
  if (capture === "qemu-elf" && request.codec !== undefined) {
    throw new SpillwayError("SPW_LAB_BAD_OPTION", "an ELF core is not compressed, so it takes no codec", {
      class: "usage",
      facts: { option: "codec", given: request.codec },
      hint: "add --capture qemu-kdump or --capture kdump",
    });
  }
  const codec = capture === "qemu-elf" ? null : oneOf("codec", CODECS, request.codec, "zlib");
  return { kernel, capture, codec, la57: request.la57 ?? false };
}

/** Every variant that Debian's own programs can make (its QEMU knows zlib only, its makedumpfile zlib and lzo). */
export function variantMatrix(): LabVariant[] {
  const variants: LabVariant[] = [];
  for (const kernel of KERNEL_SERIES) {
    variants.push({ kernel, capture: "qemu-elf", codec: null, la57: false });
    variants.push({ kernel, capture: "qemu-elf", codec: null, la57: true });
    variants.push({ kernel, capture: "qemu-kdump", codec: "zlib", la57: false });
    variants.push({ kernel, capture: "kdump", codec: "zlib", la57: false });
    variants.push({ kernel, capture: "kdump", codec: "lzo", la57: true });
  }
  return variants;
}

/** A folder name for one run, e.g. `overrun-short-6.12-kdump-lzo-la57`. */
export function runName(scenario: string, variant: LabVariant): string {
  const parts = [scenario, variant.kernel, variant.capture];
  if (variant.codec !== null) parts.push(variant.codec);
  if (variant.la57) parts.push("la57");
  return parts.join("-");
}
