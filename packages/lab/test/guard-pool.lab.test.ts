/** The pool: empty, shared by sleepers, resized, losing and gaining CPUs, spread over nodes. */
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

  test("every kind of critical point can refuse, and does so before it had any effect", async () => {
    const { console, said } = await guest(
      `
insmod /spillway.ko stacks=1 threshold=6000 points=kernel_write,vfs_mkdir,notify_change,vfs_fsync_range,iterate_dir,do_filp_open,submit_bio_noacct
echo 1 > $C/hold; flow write /dev/cascade12 64 1 & until_true holding 1; state in_use
flow kinds 6000; [ -d /tmp/kinds.d ] && echo "made once"
for p in vfs_mkdir notify_change vfs_fsync_range iterate_dir do_filp_open submit_bio_noacct; do
  echo "$p $(point $p refusals)"
done
echo 0 > $C/hold; wait; state in_use; flow kinds 6000; unload && echo unloaded`,
      { diskMiB: 8 },
    );
    expect(said).toMatch(/^in_use=1 $/m);
    const answers = said.match(/^(int|ERR_PTR|bio) .*$/gm)!;
    expect(answers.slice(0, 6)).toEqual([
      "int mkdir: Input/output error, then Success",
      "int chmod: Input/output error, then Success",
      "int fsync: Input/output error, then Success",
      "int getdents: Input/output error, then Success",
      "ERR_PTR open: Input/output error, then Success",
      "bio read: Input/output error, then Success",
    ]);
    expect(said).toMatch(/^made once$/m);
    for (const refused of said.match(/^(vfs_\w+|notify_change|iterate_dir|do_filp_open|submit_bio_noacct) \d+$/gm)!) {
      expect(refused).toMatch(/ [1-9]\d*$/);
    }
    expect(console.match(/spillway: no free stack/g)).toHaveLength(1);
    // With the stack back, the same calls switch and succeed (the folder is there by now).
    expect(answers.slice(6)).toEqual(expect.arrayContaining(["ERR_PTR open: Success, then Success"]));
    expect(said.match(/^int mkdir: File exists, then File exists$/gm)).toHaveLength(1);
    expect(said).toMatch(/^unloaded$/m);
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

  test("resized and without a CPU for a while, all under load", async () => {
    const { console, said } = await guest(`
cpu1=/sys/devices/system/cpu/cpu1/online
insmod /spillway.ko per_cpu=16 threshold=4000; state total
load() { for i in $(seq 6); do flow bench /dev/cascade16 $1 64 > /dev/null || echo "a write failed" & done; }
load 3000
for total in 200 120 1024 100 300 120 500 128; do try total $total; done
wait; state in_use refusals; unload; insmod /spillway.ko per_cpu=16 threshold=4000
# Held ones stay; what is free of the pool goes with its CPU, and comes back with it.
echo 1 > $C/hold; for i in $(seq 6); do flow write /dev/cascade8 64 $i & done; until_true holding 6
held=$(cat $S/in_use); echo "held $held"
echo 0 > $cpu1; total=$(cat $S/total); [ $total -ge 16 ] && [ $total -lt $((17 + held)) ] && echo "without the CPU: 16 and what is held"
echo 1 > $cpu1; echo 0 > $C/hold; wait; state in_use
load 2000; for i in 1 2 3; do echo 0 > $cpu1; echo 1 > $cpu1; done; wait
echo 0 > $cpu1; state total; echo 1 > $cpu1; state total in_use refusals
echo 1 > $C/hold; for i in $(seq 6); do flow write /dev/cascade8 64 $i & done; until_true holding 6; echo 0 > $C/hold; wait
unload && echo unloaded`);
    expect(said).toMatch(/^total=32 $/m);
    expect(said.match(/^set total to \d+: ok$/gm)).toHaveLength(8);
    expect(said).not.toMatch(/^a write failed$/m);
    expect(said).toMatch(/^in_use=0 refusals=0 $/m);
    expect(said).toMatch(/^held ([6-9]|1\d)$/m);
    expect(said).toMatch(/^without the CPU: 16 and what is held$/m);
    expect(said).toMatch(/^total=16 \ntotal=32 in_use=0 refusals=0 $/m);
    expect(console).not.toMatch(/BUG|WARNING|Oops/);
    expect(said).toMatch(/^unloaded$/m);
  });

  test("each node gives its share; where memory ends a resize kills nobody, whether it fits or is refused", async () => {
    const { console, said } = await guest(
      `
free() { awk '/MemFree/ { print $4 }' /sys/devices/system/node/node$1/meminfo; }
insmod /spillway.ko stacks=2
before0=$(free 0); before1=$(free 1); try total 1002
echo "taken $(((before0 - $(free 0)) / 1000)) $(((before1 - $(free 1)) / 1000)) thousand kB"
try total 2; mkdir /hog; mount -t tmpfs -o size=100% tmpfs /hog
# What a pool gave back may come free only by and by.
sleep 3; echo 3 > /proc/sys/vm/drop_caches
available=$(awk '/MemFree/ { print $2 }' /proc/meminfo); dd if=/dev/zero of=/hog/most bs=64k count=$(((available - 9000) / 64)) 2>/dev/null
try total 1000; rm /hog/most; state in_use; try total 1000; unload && echo unloaded`,
      { numa: true },
    );
    const [, node0, node1] = /^taken (\d+) (\d+) thousand kB$/m.exec(said)!;
    // Half of 16 MB; what else happens in the guest takes and gives some.
    for (const taken of [node0, node1]) expect(Number(taken)).toBeGreaterThanOrEqual(3);
    // Some kernels find the last pages; that a resize is refused as a whole where a call fails, guard-load and guard-stress show.
    expect(said).toMatch(/^set total to 1000: (refused, is 2|ok)\nin_use=0 \nset total to 1000: ok\nunloaded$/m);
    expect(console).not.toMatch(/Out of memory|oom-kill/);
  });
});
