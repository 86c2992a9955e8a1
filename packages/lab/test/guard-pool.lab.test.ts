/** The pool: empty, and shared by sleepers. */
import { expect, test } from "vitest";
import { onEveryKernel } from "./guard-lab.ts";

onEveryKernel((guest) => {
  test("an empty pool fails calls with -EIO and nothing else", async () => {
    const { console, said } = await guest(`
insmod /spillway.ko stacks=3
try threshold -1; try threshold abc; try threshold 12289; try threshold 20000; try threshold ""
try total 0; try total 1025; try total x; try drain 2; try high_water 5
echo 1 > $C/hold
for i in 1 2 3 4 5 6; do flow write /dev/cascade20 64 $i & done
until_true settled 6; echo "holding $(cat $C/holding) refusals $(cat $S/refusals)"
rmmod spillway || echo "rmmod refused"
try total 200; for i in 1 2; do flow write /dev/cascade20 64 9 & done; until_true settled 8
try total 2
for p in $(writers); do grep -q spw_switch /proc/$p/stack && echo "$(grep -c cascade_write /proc/$p/stack) levels in the stack"; done
for p in $(writers); do kill -9 $p; done; until_true idle; state in_use
echo 0 > $C/hold; flow write /dev/cascade20 64 1
try total 2; state total free in_use
try drain 1; switches=$(cat $S/switches); flow write /dev/cascade12 64 1
[ $switches = $(cat $S/switches) ] && echo "none while draining"
unload && echo unloaded`);
    const refused = said.match(/^set \w+ to .*: refused, is .*$/gm);
    expect(refused).toEqual([
      "set threshold to -1: refused, is 8192",
      "set threshold to abc: refused, is 8192",
      "set threshold to 12289: refused, is 8192",
      "set threshold to 20000: refused, is 8192",
      "set threshold to : refused, is 8192",
      "set total to 0: refused, is 3",
      "set total to 1025: refused, is 3",
      "set total to x: refused, is 3",
      "set drain to 2: refused, is 0",
      expect.stringMatching(/^set high_water to 5: refused/),
      "set total to 2: refused, is 200",
    ]);
    const [, holding, refusals] = /^holding (\d) refusals (\d)$/m.exec(said)!;
    expect(Number(holding)).toBeGreaterThan(0);
    expect(Number(holding) + Number(refusals)).toBe(6);
    expect(said.match(/^write \/dev\/cascade20: Input\/output error$/gm)).toHaveLength(Number(refusals));
    expect(console.match(/spillway: no free stack \(of 3\) for flow/g)).toHaveLength(1);
    expect(said).toMatch(/^rmmod refused$/m);
    expect(said).toMatch(/^2\d levels in the stack$/m);
    expect(said).toMatch(/^in_use=0 $/m);
    expect(said).toMatch(/^write \/dev\/cascade20: whole\nset total to 2: ok\ntotal=2 free=2 in_use=0 $/m);
    expect(said).toMatch(/^none while draining\n(.*\n)?unloaded$/m);
  });

  test("64 sleepers on extra stacks are moved between CPUs, some are killed, one oopses: none is lost", async () => {
    const { console, said, ended } = await guest(`
insmod /spillway.ko stacks=200; echo 1 > $C/hold
for i in $(seq 64); do taskset 1 flow write /dev/cascade20 64 $i >/dev/null & done
until_true holding 64; echo "holding $(cat $C/holding)"; state in_use
on_cpu() { n=0; for p in $(writers); do [ "$(awk '{ print $39 }' /proc/$p/stat)" = $1 ] && n=$((n + 1)); done; [ $n -eq $2 ]; }
until_true on_cpu 0 64 && echo "all on CPU 0"
for p in $(writers); do taskset -p 2 $p >/dev/null; done; until_true on_cpu 1 64 && echo "all on CPU 1"
for p in $(writers | head -n 10); do kill -9 $p; done; until_true holding 54
echo "after kills $(cat $C/holding)"
echo 0 > $C/hold; wait; state in_use free migrated
echo oops > $C/act; flow write /dev/cascade20 64 1; echo "exit code $?"; until_true idle
state in_use reaped; flow write /dev/cascade20 64 1
echo "occupancy $(($(total occupancy) - $(cat $S/switches)))"; echo "held $(($(total hold_ns) - $(cat $S/switches)))"
unload && echo unloaded`);
    expect(ended).toBe("script");
    expect(said).toMatch(/^holding 64\nin_use=(6[4-9]|[7-9]\d|1\d\d) \nall on CPU 0\nall on CPU 1$/m);
    expect(said).toMatch(/^after kills 54$/m);
    const [, migrated] = /^in_use=0 free=200 migrated=(\d+) $/m.exec(said)!;
    expect(Number(migrated)).toBeGreaterThanOrEqual(64);
    expect(console).toMatch(/Call Trace:[\s\S]*spw_switch[\s\S]*<TASK>[\s\S]*entry_SYSCALL_64/);
    expect(said).toMatch(/^exit code 137\nin_use=0 reaped=[12] \nwrite \/dev\/cascade20: whole$/m);
    // The self-test's own switches are in neither count.
    expect(said).toMatch(/^occupancy 0\nheld 0$/m);
    expect(said).toMatch(/^unloaded$/m);
  });
});
