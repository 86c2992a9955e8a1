/**
 * What an extra stack takes of memory: by how much a guest's free memory falls when its pool grows by 1,000 stacks, page tables and
 * slab included, beside the kernel's own counts of what it gave out. Medians of five rounds: the kernel keeps free pages aside.
 *
 *   node bench/guard/memory.ts [--kernel 6.1,6.12] [--json]
 */
import { parseArgs } from "node:util";
import { ensureLab } from "../../packages/lab/src/ensure-lab.ts";
import { runGuardScript } from "../../packages/lab/src/guard-guest.ts";
import { KERNEL_SERIES } from "../../packages/lab/src/lab-options.ts";
import { median } from "../lib/stats.ts";
import { textTable } from "../lib/table.ts";

const MORE = 1000;
const ROUNDS = 5;
const COUNTS = ["MemFree", "Slab", "VmallocUsed", "Percpu", "PageTables"];

const { values } = parseArgs({
  options: {
    kernel: { type: "string", default: KERNEL_SERIES.join(",") },
    json: { type: "boolean", default: false },
  },
});
const wanted = values.kernel.split(",");
const kernels = KERNEL_SERIES.filter((series) => wanted.includes(series));
if (kernels.length !== wanted.length) throw new Error(`of kernels there are ${KERNEL_SERIES.join(", ")}`);

// Caches are dropped before each look, and what comes free late has time to.
const SCRIPT = `
look() { sync; echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory; sleep 2; grep -E '^(${COUNTS.join("|")}):' /proc/meminfo | sed "s/^/$1 /"; }
insmod /spillway.ko stacks=2
# The first growth also makes slabs and page tables that stay.
for round in $(seq ${ROUNDS}); do
  echo 2 > $S/total; sleep 2; look "before$round"; echo ${2 + MORE} > $S/total; look "after$round"
done
`;

const targets = await ensureLab(kernels, []);
const rows = [];
for (const series of kernels) {
  const { console: output } = await runGuardScript(targets.get(series)!.kernel, SCRIPT, { timeoutMs: 300_000 });
  const read = (when: string, name: string): number => {
    const [, kilobytes] = new RegExp(`^${when} ${name}: +(\\d+) kB`, "m").exec(output) ?? [];
    if (kilobytes === undefined) throw new Error(`the guest said nothing of ${name} ${when}:\n${output.slice(-2000)}`);
    return Number(kilobytes);
  };
  const rounds = Array.from({ length: ROUNDS }, (_, index) => index + 1);
  const each = (name: string): number =>
    (median(rounds.map((round) => read(`after${round}`, name) - read(`before${round}`, name))) * 1024) / MORE;
  rows.push({ kernel: series, bytesPerStack: Object.fromEntries(COUNTS.map((name) => [name, each(name)])) });
}
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  console.log(`Bytes of memory for each of ${MORE} more stacks, by the counts of /proc/meminfo\n`);
  const columns = COUNTS.map((title) => ({ title, align: "right" as const }));
  console.log(
    textTable(
      [{ title: "kernel", align: "left" }, ...columns],
      rows.map(({ kernel, bytesPerStack }) => [kernel, ...COUNTS.map((name) => bytesPerStack[name]!.toFixed(0))]),
    ),
  );
}
