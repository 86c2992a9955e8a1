/**
 * Everything at once, at random: writers through several points, thresholds, totals, draining, kills, failing allocations.
 * SPILLWAY_LAB_SOAK=SECONDS makes it last longer than a test should.
 */
import { expect, test } from "vitest";
import { GUEST_TIMEOUT_MS, onEveryKernel, TEST_TIMEOUT_MS } from "./guard-lab.ts";

const SECONDS = Number(process.env.SPILLWAY_LAB_SOAK ?? 25);

onEveryKernel((guest) => {
  test(`random stress for ${SECONDS} s: no stack lost, no memory, no byte; the counters agree`, {
    timeout: TEST_TIMEOUT_MS + 2000 * SECONDS,
  }, async () => {
    const { console, said, ended } = await guest(
      `
insmod /faults.ko
memory() { sync; echo 3 > /proc/sys/vm/drop_caches; awk '/^Slab|^VmallocUsed|^Percpu|^KernelStack/ { n += $2 } END { print n }' /proc/meminfo; }
random() { echo $(($(head -c 2 /dev/urandom | od -An -tu2) % $1)); }
insmod /spillway.ko per_cpu=32 threshold=3000; flow write /dev/cascade20 64 1 >/dev/null; before=$(memory)
echo 1 > /tmp/run
# No deeper than a stock stack carries: while the pool drains, nobody switches.
writer() { while [ -e /tmp/run ]; do flow write /dev/cascade$((6 + $(random 8))) 700 $1 > /dev/null 2>&1; done; }
keeper() { # writes its own file, and counts a wrong byte; a refused write is allowed, a short or different one is not
  while [ -e /tmp/run ]; do
    flow write /tmp/kept$1 60000 $1 > /tmp/kept.said$1; grep -q whole /tmp/kept.said$1 && { flow check /tmp/kept$1 60000 $1 > /tmp/kept.said$1; grep -q different /tmp/kept.said$1 && echo "a byte was lost"; }
  done
}
for i in 1 2 3 4 5 6; do writer $i & done; for i in 1 2; do keeper $i & done
grow() { echo $1 > $F/every; echo 300 > $S/total; echo 0 > $F/every; }
grow 3
end=$(($(awk '{ print int($1) }' /proc/uptime) + ${SECONDS}))
while [ $(awk '{ print int($1) }' /proc/uptime) -lt $end ]; do
  case $(random 8) in
  0|1) echo $((1500 + $(random 6000))) > $S/threshold;;
  2|3) echo $((20 + $(random 200))) > $S/total;;
  4) echo 1 > $S/drain; echo 5000 > $S/threshold; echo 0 > $S/drain;;
  5) for p in $(writers | head -n 2); do kill -9 $p; done;;
  6) grow $((2 + $(random 5)));;
  7) taskset -p $((1 + $(random 3))) $(writers | head -n 1) > /dev/null;;
  esac 2>/dev/null
done
rm /tmp/run; echo 0 > $F/every; wait; until_true idle
echo "faults: $([ $(cat $F/count) -gt 0 ] && echo some)"; echo "switches: $([ $(cat $S/switches) -gt 100 ] && echo many)"
echo "occupancy $(($(total occupancy) - $(cat $S/switches)))"; echo "held $(($(total hold_ns) - $(cat $S/switches)))"
sum=0; for p in $S/points/*; do sum=$((sum + $(cat $p/switches))); done; echo "points $((sum - $(cat $S/switches)))"
echo 3000 > $S/threshold; until_true try total 64 > /dev/null; flow write /dev/cascade20 64 1
# What is left is the load's own growth; a stack lost at each step would be a hundred times as much.
sleep 2; grown=$(($(memory) - before)); [ $grown -lt 3000 ] && echo "no leak" || echo "grown by $grown kB"
state in_use total free; unload && echo unloaded`,
      { guardModules: ["faults"], timeoutMs: GUEST_TIMEOUT_MS + 2000 * SECONDS },
    );
    expect(ended).toBe("script");
    expect(said).not.toMatch(/^a byte was lost$/m);
    expect(said).toMatch(/^faults: some\nswitches: many\noccupancy 0\nheld 0\npoints 0$/m);
    expect(said).toMatch(/^write .*: whole\nno leak\nin_use=0 total=64 free=64 \nunloaded$/m);
    expect(console).not.toMatch(/BUG:|WARNING:|Oops|blocked for more/);
  });
});
