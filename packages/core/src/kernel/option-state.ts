/** What is known of a kernel's build options, whether they were read or told by other signs. */

/** The options that say something about stacks, in the order they are listed. Without `CONFIG_`. */
export const OPTION_NAMES = [
  "STACKPROTECTOR",
  "STACKPROTECTOR_STRONG",
  "VMAP_STACK",
  "SCHED_STACK_END_CHECK",
  "KASAN",
  "KASAN_STACK",
  "UBSAN_BOUNDS",
  "FORTIFY_SOURCE",
  "X86_KERNEL_IBT",
  "RANDOMIZE_KSTACK_OFFSET",
  "FRAME_WARN",
  "STACK_TRACER",
  "DEBUG_STACK_USAGE",
  "DEBUG_OBJECTS_TIMERS",
  "HAVE_HW_BREAKPOINT",
  "KPROBES",
  "LIVEPATCH",
  "UNWINDER_ORC",
  "KALLSYMS_ALL",
  "IKCONFIG",
] as const;

export type OptionName = (typeof OPTION_NAMES)[number];

export interface OptionState {
  readonly state: "yes" | "no" | "unknown";
  /** The value of an option that has one (`FRAME_WARN`: bytes), as it was written; else null. */
  readonly value: string | null;
  /** How it is known, for a person to check; null where it is not known. */
  readonly evidence: string | null;
}

export interface KernelOptions {
  state(option: OptionName): OptionState;
}

const UNKNOWN: OptionState = { state: "unknown", value: null, evidence: null };

/** Options of which nothing is known: a log, without a configuration beside it. */
export const noOptions: KernelOptions = { state: () => UNKNOWN };

/**
 * Options as a configuration has them. One that it does not name is off if it names others: `make` leaves out what cannot
 * be chosen.
 * @param from where the configuration was found, for the evidence
 */
export function configuredOptions(config: ReadonlyMap<string, string>, from: string): KernelOptions {
  return {
    state(option) {
      const name = OLD_NAMES[option]?.find((old) => config.has(old)) ?? option;
      const value = config.get(name) ?? null;
      const off = value === null || value === "n" || value === "0";
      const line =
        value === null ? `no CONFIG_${name}` : value === "n" ? `CONFIG_${name} is not set` : `CONFIG_${name}=${value}`;
      return {
        state: off ? "no" : "yes",
        value: off || value === "y" || value === "m" ? null : value,
        evidence: `${line} in ${from}`,
      };
    },
  };
}

/** Names that an option had before: CC_… until 4.18 (050e9baa9dc9), ORC_UNWINDER until 4.15 (11af847446ed). */
const OLD_NAMES: Partial<Record<OptionName, readonly string[]>> = {
  STACKPROTECTOR: ["STACKPROTECTOR", "CC_STACKPROTECTOR"],
  STACKPROTECTOR_STRONG: ["STACKPROTECTOR_STRONG", "CC_STACKPROTECTOR_STRONG"],
  UNWINDER_ORC: ["UNWINDER_ORC", "ORC_UNWINDER"],
};
