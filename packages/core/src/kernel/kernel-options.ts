/** A kernel's build options, told by what is in its memory. */
import { type ConfigSource, hasDataSymbols, type KernelConfig, readEmbeddedConfig } from "./config.ts";
import { configuredOptions, type KernelOptions, type OptionName, type OptionState } from "./option-state.ts";

/** What options are told from; a `Kernel` is one. */
export interface OptionSource extends ConfigSource {
  readonly release: string;
}

export interface ConfigFile {
  readonly config: KernelConfig;
  /** Its name, for the evidence. */
  readonly name: string;
}

/**
 * The options of the kernel in a dump: from its own embedded configuration, else from the file given, else by signs that
 * an option leaves in the symbols and the code. Nothing is looked at before it is asked for.
 */
export function kernelOptions(kernel: OptionSource, file: ConfigFile | null = null): KernelOptions {
  let configured: KernelOptions | null | undefined;
  const states = new Map<OptionName, OptionState>();
  return {
    state(option) {
      configured ??= readConfigured(kernel, file);
      if (configured !== null) return configured.state(option);
      const state = states.get(option) ?? bySigns(kernel, option);
      states.set(option, state);
      return state;
    },
  };
}

function readConfigured(kernel: OptionSource, file: ConfigFile | null): KernelOptions | null {
  const embedded = readEmbeddedConfig(kernel);
  if (embedded !== null) {
    return configuredOptions(embedded.config, `the kernel's own configuration at 0x${embedded.address.toString(16)}`);
  }
  return file === null ? null : configuredOptions(file.config, file.name);
}

type Sign = (kernel: OptionSource) => OptionState | null;

const UNKNOWN: OptionState = { state: "unknown", value: null, evidence: null };

function bySigns(kernel: OptionSource, option: OptionName): OptionState {
  for (const sign of SIGNS[option] ?? []) {
    const told = sign(kernel);
    if (told !== null) return told;
  }
  return UNKNOWN;
}

function yes(evidence: string): OptionState {
  return { state: "yes", value: null, evidence };
}

function no(evidence: string): OptionState {
  return { state: "no", value: null, evidence };
}

/** kallsyms always lists functions: where it was read at all, one that is not in it is not in the kernel. */
function hasFunctions(kernel: OptionSource): boolean {
  return kernel.symbols.byName("schedule", null) !== null;
}

function symbolAt(kernel: OptionSource, name: string): string | null {
  const symbol = kernel.symbols.byName(name, null);
  return symbol === null ? null : `${name} at 0x${symbol.address.toString(16)}`;
}

/** The option compiles this function, which is never inlined, and nothing else does. */
function ifFunction(...names: readonly string[]): Sign {
  return (kernel) => {
    for (const name of names) {
      const found = symbolAt(kernel, name);
      if (found !== null) return yes(`the kernel has ${found}`);
    }
    return hasFunctions(kernel) ? no(`the kernel has no ${names.join(" or ")}`) : null;
  };
}

/** The same for a variable, which only CONFIG_KALLSYMS_ALL lists. */
function ifVariable(name: string): Sign {
  return (kernel) => {
    const found = symbolAt(kernel, name);
    if (found !== null) return yes(`the kernel has ${found}`);
    return hasDataSymbols(kernel.symbols) ? no(`the kernel has no ${name}`) : null;
  };
}

/** With this function the option is on; without it, nothing is said: it is younger than the option. */
function onWith(name: string): Sign {
  return (kernel) => {
    const found = symbolAt(kernel, name);
    return found === null ? null : yes(`the kernel has ${found}`);
  };
}

/** Without this function the option is off; with it, nothing is said. */
function offWithout(...names: readonly string[]): Sign {
  return (kernel) => {
    const told = ifFunction(...names)(kernel);
    return told?.state === "no" ? told : null;
  };
}

/** STACK_END_MAGIC (include/uapi/linux/magic.h), as an instruction holds it. */
const STACK_END_MAGIC = [0x9d, 0x6e, 0xac, 0x57];
const LARGEST_FUNCTION = 1 << 16;

/**
 * `schedule_debug` compares the word at the stack's end if the option is on (0d9e26329b0c, 3.18); it is mostly inlined
 * into `__schedule`.
 */
const checksStackEnd: Sign = (kernel) => {
  let read = false;
  for (const name of ["schedule_debug", "__schedule"]) {
    const symbol = kernel.symbols.byName(name, null);
    const range = symbol === null ? null : kernel.symbols.functionAt(symbol.address);
    if (range === null) continue;
    const length = Number(range.end - range.start);
    const code = length > LARGEST_FUNCTION ? null : kernel.memory.read(range.start, length);
    if (code === null) return null;
    read = true;
    for (let at = code.indexOf(0x9d); at >= 0; at = code.indexOf(0x9d, at + 1)) {
      if (STACK_END_MAGIC.every((byte, index) => code[at + index] === byte)) {
        return yes(`${name} compares with STACK_END_MAGIC at 0x${(range.start + BigInt(at)).toString(16)}`);
      }
    }
  }
  return read ? no("__schedule does not compare with STACK_END_MAGIC") : null;
};

const kallsymsAll: Sign = (kernel) => {
  if (!hasFunctions(kernel)) return null;
  return hasDataSymbols(kernel.symbols) ? yes("kallsyms lists variables") : no("kallsyms lists no variables");
};

const SIGNS: Partial<Record<OptionName, readonly Sign[]>> = {
  // kernel/panic.c, in all releases
  STACKPROTECTOR: [ifFunction("__stack_chk_fail")],
  // kernel/fork.c: cached_stacks since 4.9 (ac496bf48d97), free_vm_stack_cache since 4.11 (19659c59af7c)
  VMAP_STACK: [onWith("free_vm_stack_cache"), ifVariable("cached_stacks")],
  SCHED_STACK_END_CHECK: [checksStackEnd],
  // mm/kasan/report.c
  KASAN: [ifFunction("kasan_report")],
  // mm/kasan/common.c; without the option too until 5.11 (d56a9ef84bd0)
  KASAN_STACK: [offWithout("kasan_report"), offWithout("kasan_unpoison_task_stack")],
  // lib/string_helpers.c, once lib/string.c, which had it without the option too
  FORTIFY_SOURCE: [offWithout("fortify_panic", "__fortify_panic")],
  // arch/x86/kernel/cpu/common.c, since 5.18 (fe379fa4d199)
  X86_KERNEL_IBT: [ifFunction("ibt_save")],
  // init/main.c, since 5.13 (39218ff4c625)
  RANDOMIZE_KSTACK_OFFSET: [ifVariable("randomize_kstack_offset")],
  // kernel/trace/trace_stack.c
  STACK_TRACER: [ifFunction("stack_trace_sysctl")],
  // kernel/events/hw_breakpoint.c, built where the architecture has it
  HAVE_HW_BREAKPOINT: [ifFunction("register_wide_hw_breakpoint")],
  KPROBES: [ifFunction("register_kprobe")],
  LIVEPATCH: [ifFunction("klp_enable_patch")],
  // lib/debugobjects.c; timers are one of its kinds
  DEBUG_OBJECTS_TIMERS: [offWithout("debug_object_activate")],
  UNWINDER_ORC: [ifVariable("__start_orc_unwind")],
  KALLSYMS_ALL: [kallsymsAll],
  // kernel/configs.c; as a module it may not be loaded
  IKCONFIG: [ifVariable("kernel_config_data")],
};
