import { viewOf } from "../../bytes/read.ts";
import { ORC_ENTRY_SIZE } from "../../unwind/orc-layout.ts";
import { orderOrc } from "../../unwind/orc-order.ts";

/**
 * Sorts a module's ORC tables in place, as the loader does (arch/x86/kernel/unwind_orc.c, `unwind_module_init`): the linker
 * has put those of its object files one behind the other. Of several entries for one address, those that end a section
 * (without data) go first, so that the last is the one in force.
 * @param ip s32 each, relative to its own place
 */
export function sortOrc(ip: Uint8Array, orc: Uint8Array): void {
  const count = Math.min(ip.length >> 2, Math.floor(orc.length / ORC_ENTRY_SIZE));
  const ips = viewOf(ip);
  const orcs = viewOf(orc);
  const starts = new Float64Array(count);
  let sorted = true;
  for (let i = 0; i < count; i++) {
    starts[i] = ips.getInt32(i * 4, true) + i * 4;
    if (i > 0 && (starts[i] as number) <= (starts[i - 1] as number)) sorted = false;
  }
  if (sorted) return;
  const flags = Uint16Array.from(starts, (_, i) => orcs.getUint16(i * ORC_ENTRY_SIZE + 4, true));
  const order = orderOrc(
    Uint32Array.from(starts, (_, i) => i),
    starts,
    flags,
  );
  const before = orc.slice();
  order.forEach((from, to) => {
    ips.setInt32(to * 4, (starts[from] as number) - to * 4, true);
    orc.set(before.subarray(from * ORC_ENTRY_SIZE, (from + 1) * ORC_ENTRY_SIZE), to * ORC_ENTRY_SIZE);
  });
}
