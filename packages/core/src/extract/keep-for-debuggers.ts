import { isKernelAddress } from "../kernel/context.ts";
import { keepPids } from "./keep-pids.ts";
import type { Keeper } from "./keeper.ts";

/** CONFIG_NODES_SHIFT is at most 10. */
const MOST_NODES = 1024;
/** Roots of the sparse memory model (SPARSEMEM_EXTREME): 2^46 bytes in sections of 128 MiB, 128 or 256 a page. */
const MOST_SECTION_ROOTS = 4096;
const MOST_CACHES = 4096;
/** Functions that crash disassembles to learn where the entry code puts registers, and two that everybody looks at. */
const DISASSEMBLED = [
  "common_interrupt",
  "asm_common_interrupt",
  "do_syscall_64",
  "entry_SYSCALL_64",
  "schedule",
  "__schedule",
  "ret_from_fork",
  "panic",
  "__stack_chk_fail",
];
/** crash reads up to 2048 instructions on, whether the function has so many or not. */
const READ_AHEAD = 8192n;

/**
 * Keeps what crash (and for the most part drgn too) reads when it opens a dump, beyond what the questions have read: found by
 * running it on extracts and seeing what it missed. Everything is named by symbol or type, and what a kernel has not is
 * passed over.
 */
export function keepForDebuggers(keeper: Keeper): void {
  // Set up at boot and read-only since: where memory begins, per-CPU offsets, the unwinder's bounds (4.6, c74ba8b3480d).
  keeper.section("__start_ro_after_init", "__end_ro_after_init");
  for (const table of ["pageflag_names", "taint_flags", "task_state_array", "vmstat_text"]) keepNames(keeper, table);
  for (const name of DISASSEMBLED) keepCode(keeper, name);
  keepMemoryModel(keeper);
  keepCaches(keeper);
  keepPids(keeper);
  for (const task of keeper.kernel.tasks()) keeper.struct(task.mm, "mm_struct", 2048);
}

function keepCode(keeper: Keeper, name: string): void {
  const address = keeper.symbol(name);
  const range = address === null ? null : keeper.kernel.symbols.functionAt(address);
  if (range !== null) keeper.between(range.start, range.end + READ_AHEAD);
}

/** A table of names in read-only data, with the names that it points at. */
function keepNames(keeper: Keeper, name: string): void {
  const table = keeper.symbol(name);
  if (table === null) return;
  const length = lengthOf(keeper, table);
  const { bytes } = keeper.space.readSparse(table, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= length; at += 8) {
    const text = view.getBigUint64(at, true);
    if (text >> 31n === 0x1ffffffffn) keeper.space.cstring(text, 64);
  }
}

/** Up to the next symbol, within reason. */
function lengthOf(keeper: Keeper, address: bigint): number {
  const { symbols } = keeper.kernel;
  for (let length = 8; length < 4096; length += 8) {
    const at = symbols.byAddress(address + BigInt(length));
    if (at !== null && at.symbol.address !== address && at.symbol.address > address) return length;
  }
  return 4096;
}

/** `node_data`: the memory nodes with their zones; `mem_section`: which sections of memory exist. */
function keepMemoryModel(keeper: Keeper): void {
  const nodes = keeper.symbol("node_data");
  for (let i = 0; nodes !== null && i < MOST_NODES; i++) {
    const node = keeper.space.u64(nodes + BigInt(i * 8));
    if (node === null || !isKernelAddress(node)) break;
    keeper.struct(node, "pglist_data", 1 << 17);
  }
  // A pointer to the array of roots since 4.15 (83e3c48729d9).
  const roots = keeper.value("mem_section");
  if (roots === null || !isKernelAddress(roots)) return;
  const count = Math.min(MOST_SECTION_ROOTS, keeper.kernel.pagingLevels === 5 ? 4096 : 2048);
  keeper.range(roots, count * 8);
  for (let i = 0; i < count; i++) {
    const root = keeper.space.u64(roots + BigInt(i * 8));
    if (root !== null && isKernelAddress(root)) keeper.range(root, 4096);
  }
}

/** The list of slab caches: crash reads the size of the objects in the first, and names on demand. */
function keepCaches(keeper: Keeper): void {
  const head = keeper.symbol("slab_caches");
  const list = keeper.kernel.types.member("kmem_cache", "list");
  if (head === null || list === null) return;
  let link = keeper.space.u64(head);
  for (let n = 0; n < MOST_CACHES && link !== null && link !== head && isKernelAddress(link); n++) {
    keeper.struct(link - BigInt(list.offset), "kmem_cache", 512);
    link = keeper.space.u64(link);
  }
}
