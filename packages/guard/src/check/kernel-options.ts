/** Build options of a kernel: from its configuration, or from what only a kernel with the option has. */
import { gunzipSync } from "node:zlib";
import { isKernelConfig, type KernelConfig, parseKernelConfig } from "@spillway/core";
import type { Host } from "../host.ts";

/** An option's value (`y`, `m`, `n`, …) and how it is known. */
export interface KnownOption {
  readonly value: string;
  readonly source: string;
}

/** Bytes that a configuration is unpacked to at most; those of distributions have 300 KB. */
const LARGEST_CONFIG = 4 << 20;

/**
 * Functions that are built with an option only, by the file that has the condition (the same in 6.1 and 6.12). They stay
 * in /proc/kallsyms, as none of them is `__init`.
 */
const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  // kernel/trace/ftrace.c; "_multi" until 6.4 (da8bdfbd4223)
  DYNAMIC_FTRACE_WITH_DIRECT_CALLS: ["register_ftrace_direct", "register_ftrace_direct_multi"],
  // arch/x86/kernel/traps.c
  VMAP_STACK: ["handle_stack_overflow"],
  // arch/x86/kernel/unwind_orc.c
  UNWINDER_ORC: ["unwind_module_init"],
  // kernel/stacktrace.c
  STACKTRACE: ["stack_trace_save"],
  // mm/kasan/generic.c
  KASAN: ["__asan_load8"],
  // kernel/stackleak.c
  GCC_PLUGIN_STACKLEAK: ["stackleak_erase", "stackleak_erase_on_task_stack"],
  // mm/usercopy.c
  HARDENED_USERCOPY: ["__check_object_size"],
};

/** The options of the kernel that runs on a machine. */
export class KernelOptions {
  readonly #config: KernelConfig | null;
  readonly #configPath: string | null;
  readonly #host: Host;
  #symbols: ReadonlySet<string> | null = null;

  constructor(host: Host) {
    this.#host = host;
    const found = findConfig(host);
    this.#config = found?.config ?? null;
    this.#configPath = found?.path ?? null;
  }

  /** Where the configuration was found; null: nowhere. */
  get configPath(): string | null {
    return this.#configPath;
  }

  /** An option without `CONFIG_`; null where nothing tells. A configuration leaves out options that cannot be set: `n`. */
  option(name: string): KnownOption | null {
    if (this.#config !== null && this.#configPath !== null) {
      return { value: this.#config.get(name) ?? "n", source: this.#configPath };
    }
    const wanted = SYMBOLS[name];
    if (wanted === undefined) return null;
    const symbols = this.#symbolsPresent();
    if (symbols.size === 0) return null;
    const found = wanted.find((symbol) => symbols.has(symbol));
    const source = found === undefined ? `no ${wanted[0]} in /proc/kallsyms` : `${found} in /proc/kallsyms`;
    return { value: found === undefined ? "n" : "y", source };
  }

  /** Of the symbols above, those that the kernel has; none at all where it does not list symbols. */
  #symbolsPresent(): ReadonlySet<string> {
    if (this.#symbols === null) {
      // A symbol that every kernel has tells a list that is there from one that is not.
      const names = [...Object.values(SYMBOLS).flat(), "schedule"];
      const pattern = new RegExp(` [a-zA-Z] (${names.join("|")})$`, "gm");
      const text = this.#host.text("/proc/kallsyms") ?? "";
      const found = new Set([...text.matchAll(pattern)].map((match) => match[1]!));
      this.#symbols = found.has("schedule") ? found : new Set();
    }
    return this.#symbols;
  }
}

/** The running kernel's own copy first; then where distributions keep one. */
function findConfig(host: Host): { config: KernelConfig; path: string } | null {
  const { release } = host;
  const places = [
    "/proc/config.gz",
    `/boot/config-${release}`,
    `/lib/modules/${release}/config`,
    `/lib/modules/${release}/build/.config`,
    `/usr/src/linux-headers-${release}/.config`,
  ];
  for (const path of places) {
    const bytes = host.bytes(path);
    if (bytes === null) continue;
    const text = path.endsWith(".gz") ? unpacked(bytes) : bytes.toString("utf8");
    const config = parseKernelConfig(text);
    if (isKernelConfig(config)) return { config, path };
  }
  return null;
}

function unpacked(bytes: Buffer): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST_CONFIG }).toString("utf8");
  } catch {
    return "";
  }
}
