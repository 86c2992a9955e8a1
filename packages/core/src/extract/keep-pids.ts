import { isKernelAddress } from "../kernel/context.ts";
import type { Keeper } from "./keeper.ts";

/** PID_MAX_LIMIT on 64 bits, include/linux/threads.h. */
const MOST_PIDS = 1 << 22;
/** The tree has 64 slots a level, so four levels hold all pids. */
const MOST_LEVELS = 6;
/** Low bits of an entry of the tree: 10 a node (`xa_is_internal`), 00 a pointer to a `struct pid`. */
const TAG = 3n;
const NODE = 2n;

/**
 * Keeps the map of process ids, by which debuggers find tasks: an IDR since 4.15 (95846ecf9dac), of xarray nodes since 4.20
 * (f8d5d0cc145c). Before, a hash table `pid_hash`, which crash walks; its chains run through the `struct pid` of the tasks.
 */
export function keepPids(keeper: Keeper): void {
  const namespace = keeper.symbol("init_pid_ns");
  const { types } = keeper.kernel;
  const root = types.member("pid_namespace", "idr.idr_rt.xa_head") ?? types.member("pid_namespace", "idr.idr_rt.rnode");
  const slots = types.member("xa_node", "slots") ?? types.member("radix_tree_node", "slots");
  if (namespace === null || root === null || slots === null) return;
  let left = MOST_PIDS;
  const seen = new Set<bigint>();
  const visit = (entry: bigint | null, level: number): void => {
    if (entry === null || !isKernelAddress(entry) || left-- <= 0 || level > MOST_LEVELS) return;
    if ((entry & TAG) === 0n) {
      keeper.struct(entry, "pid", 128);
      return;
    }
    const node = entry & ~TAG;
    if ((entry & TAG) !== NODE || seen.has(node)) return;
    seen.add(node);
    keeper.struct(node, "xa_node", 576);
    for (let i = 0; i < 64; i++) visit(keeper.space.u64(node + BigInt(slots.offset + i * 8)), level + 1);
  };
  visit(keeper.space.u64(namespace + BigInt(root.offset)), 0);
}
