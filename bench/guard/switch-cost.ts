/**
 * What spillway.ko costs at a critical point: a 64-byte kernel_write() and write(2) to a device that copies them onto its
 * stack, without the module, with it and no switch, and with a switch at every call; both ways of hooking.
 *
 *   node bench/guard/switch-cost.ts [--kernel 6.1,6.12] [--rounds N] [--instructions] [--append WORDS] [--json]
 *
 * All of it is measured in one boot, the states one after the other in each round, and compared within the round.
 * --instructions boots with a clock that goes by instructions executed: its figures have no noise and no caches.
 * --append adds to the kernel's command line: hardened_usercopy=off tells what the kernel's own checks of buffers cost.
 * kernel_write() is called from within a write(2), so that it switches from one extra stack to the next.
 */
import { parseArgs } from "node:util";
import { ensureLab } from "../../packages/lab/src/ensure-lab.ts";
import { runGuardScript } from "../../packages/lab/src/guard-guest.ts";
import { KERNEL_SERIES, type KernelSeries } from "../../packages/lab/src/lab-options.ts";
import { textTable } from "../lib/table.ts";
import { compareStates, readMeasurements } from "./measurements.ts";

const { values } = parseArgs({
  options: {
    kernel: { type: "string", default: KERNEL_SERIES.join(",") },
    rounds: { type: "string", default: "9" },
    instructions: { type: "boolean", default: false },
    append: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const rounds = values.instructions ? 2 : Number(values.rounds);
const kernels = values.kernel
  .split(",")
  .map((name) => KERNEL_SERIES.find((series) => series === name) ?? unknown(name));

function unknown(name: string): never {
  throw new Error(`no kernel ${name}: ${KERNEL_SERIES.join(", ")}`);
}

/**
 * Each state is warmed up, then measured several times; threshold 0 switches at every call. No module is measured before and
 * after the others, so that what changes in the course of a round is not taken for the module's.
 */
function script(calls: number, times: number): string {
  return `
measure() {
  flow bench /dev/cascade0 ${calls} 64 > /dev/null; echo ${calls} > $C/bench
  for time in $(seq ${times}); do
    echo "$1 write: $(flow bench /dev/cascade0 ${calls} 64)"
    dmesg -c > /dev/null; echo ${calls} > $C/bench
    echo "$1 kernel_write: $(dmesg | grep 'kernel_write:')"
  done
}
dmesg -n 1
for round in $(seq ${rounds}); do
  echo "round $round"
  for mode in direct ipmodify; do
    measure none
    insmod /spillway.ko mode=$mode stacks=8
    measure $mode-idle
    echo 0 > $S/threshold; measure $mode-switch
    echo 1 > $S/drain; until rmmod spillway 2> /dev/null; do sleep 1; done
    measure none
  done
done
`;
}

const targets = await ensureLab(kernels, []);
const results: Record<KernelSeries, unknown> = { "6.1": undefined, "6.12": undefined };
for (const series of kernels) {
  const calls = values.instructions ? 2000 : 100_000;
  const { console: output, ended } = await runGuardScript(targets.get(series)!.kernel, script(calls, 3), {
    cpus: 1,
    commandLine: values.append,
    timeoutMs: 3_600_000,
    countInstructions: values.instructions,
  });
  if (ended !== "script") throw new Error(`the guest ended by a ${ended}:\n${output.slice(-3000)}`);
  const comparison = compareStates(readMeasurements(output));
  results[series] = comparison;
  if (values.json) continue;
  const unit = values.instructions ? "instructions" : "ns";
  console.log(`\nLinux ${series}, ${rounds} rounds, ${unit} a call; ratios to no module in the same round\n`);
  console.log(
    textTable(
      [
        { title: "call", align: "left" },
        { title: "state", align: "left" },
        { title: `median ${unit}`, align: "right" },
        { title: "ratio", align: "right" },
        { title: "quartiles", align: "right" },
      ],
      comparison.map((row) => [
        row.call,
        row.state,
        row.median.toFixed(0),
        row.ratio.median.toFixed(3),
        `${row.ratio.lower.toFixed(3)} - ${row.ratio.upper.toFixed(3)}`,
      ]),
    ),
  );
}
if (values.json) console.log(JSON.stringify(results, null, 2));
