import { vmcoreSymbol } from "../symbols/vmcoreinfo.ts";
import type { Keeper } from "./keeper.ts";

/** CPUs whose static per-CPU variables are kept whole; of the others what was asked for. */
const WHOLE_CPUS = 16;
const LONGEST_COMMAND_LINE = 4096;

/**
 * Keeps the kernel's own variables: its data and bss sections (which compress to some 350 KB in all), the static per-CPU
 * variables, the command line, and the embedded configuration where the kernel has one.
 */
export function keepKernelData(keeper: Keeper): void {
  keeper.section("_sdata", "_edata");
  keepBss(keeper);
  // The kernel's types in full, not just those that were asked for.
  keeper.section("__start_BTF", "__stop_BTF");
  keepKallsyms(keeper);
  // CONFIG_IKCONFIG: a gzip file between two symbols.
  keeper.section("kernel_config_data", "kernel_config_data_size");
  const commandLine = keeper.value("saved_command_line");
  if (commandLine !== null) keeper.range(commandLine, LONGEST_COMMAND_LINE);
  keepPerCpu(keeper);
}

/** Without the part that is shared with the host under memory encryption and given back where there is none (4.20). */
function keepBss(keeper: Keeper): void {
  const unused = keeper.symbol("__start_bss_decrypted_unused");
  keeper.between(keeper.symbol("__bss_start"), unused ?? keeper.symbol("__bss_stop"));
  if (unused !== null) keeper.section("__end_bss_decrypted", "__bss_stop");
}

/** The tables of kallsyms lie together, in an order that changed: from the first to the end of the last. */
function keepKallsyms(keeper: Keeper): void {
  const { vmcoreinfo } = keeper.kernel;
  const at = (name: string) => vmcoreSymbol(vmcoreinfo, `kallsyms_${name}`);
  const number = at("num_syms");
  const count = number === null ? null : keeper.space.u32(number);
  if (count === null) return;
  const ends: bigint[] = [];
  for (const [name, length] of [
    ["names", 0],
    ["token_table", 0],
    ["token_index", 512],
    ["offsets", count * 4],
    ["addresses", count * 8],
    ["relative_base", 8],
  ] as const) {
    const start = at(name);
    if (start !== null) ends.push(start, start + BigInt(length));
  }
  ends.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  keeper.between(ends[0] ?? null, ends.at(-1) ?? null);
}

/** `__per_cpu_start` to `__per_cpu_end`, zero-based or in the init data (see PerCpu), moved by each CPU's offset. */
function keepPerCpu(keeper: Keeper): void {
  const start = keeper.symbol("__per_cpu_start");
  const end = keeper.symbol("__per_cpu_end");
  if (start === null || end === null || end <= start) return;
  const { cpus, panic } = keeper.kernel;
  for (const cpu of cpus) {
    if (cpu.number >= WHOLE_CPUS && cpu.number !== panic.cpu) continue;
    keeper.between(BigInt.asUintN(64, start + cpu.perCpuOffset), BigInt.asUintN(64, end + cpu.perCpuOffset));
  }
}
