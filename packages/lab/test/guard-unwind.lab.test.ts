/** Whoever looks at a task on extra stacks sees all of its calls: /proc, SysRq, NMIs, samples, oopses. */
import { expect, test } from "vitest";
import { onEveryKernel } from "./guard-lab.ts";

/** The kernel's own trace of cascade12, three switches deep and more: all levels, and the system call below them. */
function expectWholeTrace(trace: string | undefined): void {
  expect(trace).toBeDefined();
  expect([12, 13]).toContain(trace!.match(/\] {2}cascade_write\+/g)!.length);
  expect(trace!.match(/\] {2}spw_switch\+/g)!.length).toBeGreaterThanOrEqual(3);
  expect(trace).toMatch(/entry_SYSCALL_64/);
}

onEveryKernel((guest) => {
  test("backtraces cross nested switches: /proc/PID/stack, SysRq, an NMI, samples, an oops", async () => {
    const { console, said } = await guest(
      `
insmod /spillway.ko stacks=64 threshold=2500
echo 1 > $C/hold; flow write /dev/cascade12 64 1 & until_true holding 1; state in_use
echo "in proc: $(grep -c cascade_write /proc/$!/stack) levels, $(grep -c spw_switch /proc/$!/stack) switches, $(grep -c entry_SYSCALL /proc/$!/stack) system call"
echo t > /proc/sysrq-trigger; echo "SysRq t done"
echo 1 > $C/spin; taskset -p 2 $! >/dev/null
# An NMI finds CPU 1 idle, or with another task, as long as this one has not come there.
nmi() { dmesg -c >/dev/null; taskset 1 sh -c 'echo l > /proc/sysrq-trigger'; sleep 1; dmesg | sed '1,/NMI backtrace for cpu 1/d' | grep -q cascade_write; }
until_true nmi && echo "NMI done"
observe callchain $! cascade_write spw_switch entry_SYSCALL_64_after_hwframe
echo 0 > $C/spin; echo 0 > $C/hold; wait
echo oops > $C/act; flow write /dev/cascade12 64 2; echo "exit code $?"
until_true idle; state in_use total free reaped; flow write /dev/cascade12 64 3; unload && echo unloaded`,
      { observe: true },
    );
    expect(said).toMatch(/^in proc: 13 levels, [3-6] switches, 1 system call$/m);
    const [, tasks] = console.split(/sysrq: Show State|SysRq t done/);
    expectWholeTrace(/task:flow [\s\S]*?entry_SYSCALL_64[\s\S]*?\n/.exec(tasks ?? "")?.[0]);
    const [byNmi] = console.split("NMI done");
    expectWholeTrace(/^[\s\S]*?entry_SYSCALL_64[\s\S]*?\n/.exec(byNmi!.split("NMI backtrace for cpu 1").at(-1)!)?.[0]);
    // Not yet understood: one run had less, where 6,000 other samples were whole. observe prints a chain that is not.
    for (const name of ["cascade_write", "spw_switch", "entry_SYSCALL_64_after_hwframe"]) {
      expect(said).toMatch(new RegExp(`^${name} in (9[0-9]|100)% of the samples$`, "m"));
    }
    expectWholeTrace(/BUG: kernel NULL pointer[\s\S]*?entry_SYSCALL_64[\s\S]*?\n/.exec(console)?.[0]);
    expect(said).toMatch(/^exit code 137\nin_use=0 total=64 free=64 reaped=[3-6] \nwrite .*: whole\nunloaded$/m);
  });

  test("no more than 32 levels; hardened usercopy with the buffer on another stack, below and above", async () => {
    const { console, said } = await guest(`
# The chain of 32 with vfs_write switches 32 times; one more level is too many, and an error.
insmod /spillway.ko threshold=0 stacks=200 points=vfs_write,kernel_write
echo 0 > $S/high_water; flow write /dev/cascade31 64 1; echo "levels: $(cat $S/high_water)"
echo /tmp/out > $C/target; flow write /dev/cascade31 64 1; echo sink > $C/target; until_true idle; unload
all_sent() { [ $(cat /tmp/letter* | wc -l) -ge 8 ]; }
letters() { echo "$1: $(dmesg | grep -c 'buffer lies at a lower address, 0') lower $(dmesg | grep -c 'buffer lies at a higher address, 0') higher"; dmesg -c >/dev/null; }
# Those that wait from the start have stacks below the pool, since the kernel maps at the lowest free address and those who sleep
# meanwhile have all that was left free below. When they are gone a pool of four lies low, and those that come later higher;
# now and then it does not, hence the rounds.
for i in $(seq 8); do sh -c "until [ -e /tmp/go ]; do usleep 100000; done; exec flow letter /dev/cascade31" >/tmp/letter$i & done; sleep 1
for i in $(seq 300); do sleep 1000 & done; sleep 1
insmod /spillway.ko threshold=0 stacks=400 points=kernel_write
touch /tmp/go; until_true all_sent; letters "pool above"; cat /tmp/letter* | grep -c intact; until_true idle; unload; killall sleep
for round in $(seq 10); do
  insmod /spillway.ko threshold=0 stacks=4 points=kernel_write
  for i in $(seq 100); do sleep 1000 & done
  for i in $(seq 8); do flow letter /dev/cascade3; done > /tmp/below
  dmesg | grep -q "buffer lies at a higher address" && break
  until_true idle; unload
done
grep -c intact /tmp/below; letters "pool below"
# What hardened usercopy is for still works: too long a copy ends behind the stack.
echo 20000 > $C/long; flow letter /dev/cascade3; echo "exit code $?"; echo 0 > $C/long
until_true idle; state in_use`);
    expect(said).toMatch(/^write .*: whole\nlevels: 32\nwrite .*: Input\/output error$/m);
    // All of them mostly; each at least once, and whichever it is, the copy is whole.
    expect(said).toMatch(/^pool above: [1-8] lower \d higher\n8\n8\npool below: \d lower [1-8] higher$/m);
    expect(console.match(/usercopy: Kernel memory overwrite attempt detected/g)).toHaveLength(1);
    expect(said).toMatch(/^exit code 1\d\d$/m);
    expect(said).toMatch(/^in_use=0 $/m);
  });
});
