/** Tracers on hooked functions: they work, or one of the two is refused with a reason, whichever came first. */
import { expect, test } from "vitest";
import { onEveryKernel } from "./guard-lab.ts";

onEveryKernel((guest) => {
  test("ftrace, kprobes and kretprobes on a hooked function, in both modes", async () => {
    const { said } = await guest(`
mount -t tracefs tracefs $T
for mode in direct ipmodify; do
  insmod /spillway.ko mode=$mode threshold=0 stacks=64
  echo 0 2>/dev/null > /proc/sys/kernel/ftrace_enabled || echo "$mode: ftrace_enabled stays $(cat /proc/sys/kernel/ftrace_enabled)"
  echo 'p:entry kernel_write' > $T/kprobe_events
  echo 'r32:back kernel_write result=$retval:s64' >> $T/kprobe_events
  echo 'p:below cascade_write' >> $T/kprobe_events
  # The first boundary of instructions behind the ftrace site.
  for at in $(seq 5 24); do echo "p:inside kernel_write+$at" 2>/dev/null >> $T/kprobe_events && break; done
  echo stacktrace > $T/events/kprobes/below/trigger
  for probe in entry back inside below; do echo 1 > $T/events/kprobes/$probe/enable; done
  flow write /dev/cascade20 64 1
  for probe in entry: inside: 'back:.*result=64' below:; do echo "$mode $probe $(grep -c " $probe" $T/trace)"; done
  for name in spw_switch entry_SYSCALL_64_after_hwframe; do echo "$mode $name: $(grep -c " => $name" $T/trace)"; done
  echo '!stacktrace' > $T/events/kprobes/below/trigger
  echo 0 > $T/events/kprobes/enable; echo > $T/kprobe_events; echo > $T/trace
  echo kernel_write > $T/set_ftrace_filter
  for tracer in function function_graph; do
    echo $tracer > $T/current_tracer; flow write /dev/cascade20 64 1
    echo "$mode $tracer: $(grep -c 'kernel_write[ (]' $T/trace)"; echo nop > $T/current_tracer
  done
  echo > $T/set_ftrace_filter
  echo 1 > $S/drain; unload
done
# The other way round: the tracer is there first.
echo 'r32:back kernel_write result=$retval:s64' > $T/kprobe_events; echo 1 > $T/events/kprobes/back/enable
echo kernel_write > $T/set_ftrace_filter; echo function > $T/current_tracer; echo > $T/trace
insmod /spillway.ko threshold=0 stacks=64; flow write /dev/cascade20 64 1
echo "tracers first: $(grep -c 'kernel_write <-' $T/trace) calls $(grep -c 'result=64' $T/trace) returns $(point kernel_write switches) switches"
echo nop > $T/current_tracer; echo 0 > $T/events/kprobes/enable; echo > $T/kprobe_events
flow write /dev/cascade20 64 1; echo "tracers gone: $(point kernel_write switches) switches"
echo 1 > $S/drain; unload && echo unloaded`);
    for (const mode of ["direct", "ipmodify"]) {
      expect(said).toMatch(new RegExp(`^${mode}: ftrace_enabled stays 1$`, "m"));
      for (const probe of ["entry:", "inside:", "back:\\.\\*result=64"]) {
        expect(said).toMatch(new RegExp(`^${mode} ${probe} 20$`, "m"));
      }
      expect(said).toMatch(new RegExp(`^${mode} below: 21$`, "m"));
      // Each of the 21 traces crosses all switches above it, and ends at the system call.
      expect(said).toMatch(new RegExp(`^${mode} spw_switch: ${(21 * 22) / 2}$`, "m"));
      expect(said).toMatch(new RegExp(`^${mode} entry_SYSCALL_64_after_hwframe: 21$`, "m"));
      expect(said).toMatch(new RegExp(`^${mode} function: 20$`, "m"));
      expect(said).toMatch(new RegExp(`^${mode} function_graph: 20$`, "m"));
    }
    expect(said).toMatch(/^tracers first: 20 calls 20 returns 20 switches$/m);
    expect(said).toMatch(/^tracers gone: 40 switches\nunloaded$/m);
    expect(said.match(/^write .*: whole$/gm)).toHaveLength(8);
  });

  test("a BPF program and a livepatch on a hooked function, before and after it is hooked", async () => {
    const { console, said } = await guest(
      `
calls() { cat /sys/module/patch/parameters/calls; }
patched() { [ "$(cat /sys/kernel/livepatch/patch/transition)" = 0 ]; }
insmod /spillway.ko mode=direct threshold=0 stacks=64
echo "direct, then BPF:"; observe fentry kernel_write true
insmod /patch.ko 2>/dev/null || echo "direct, then livepatch: refused"
flow write /dev/cascade20 64 1; echo "switches $(point kernel_write switches)"
echo 1 > $S/drain; unload

insmod /spillway.ko mode=ipmodify threshold=0 stacks=64
echo "ipmodify, then BPF:"; observe fentry kernel_write "flow write /dev/cascade20 64 1"
insmod /patch.ko 2>/dev/null || echo "ipmodify, then livepatch: refused"
echo "switches $(point kernel_write switches)"
echo 1 > $S/drain; unload

echo "BPF, then auto:"; observe fentry kernel_write "insmod /spillway.ko threshold=0 stacks=64
  flow write /dev/cascade20 64 1; cat $S/points/kernel_write/mode $S/points/vfs_write/mode"
echo "switches $(point kernel_write switches)"; echo 1 > $S/drain; unload
echo "BPF, then direct:"; observe fentry kernel_write "insmod /spillway.ko mode=direct 2>/dev/null || echo refused"
traces | tr '\\n' ' '; echo

# With tasks asleep on extra stacks the patch has to see through the switches that they are in kernel_write.
insmod /spillway.ko points=vfs_write threshold=0 stacks=64; echo 1 > $C/hold
flow write /dev/cascade3 64 1 & until_true holding 1
insmod /patch.ko; sleep 3; patched || echo "the sleeper holds the livepatch up"
echo 0 > $C/hold; wait; until_true patched; flow write /dev/cascade8 64 1; echo "livepatched: $(calls) calls"
echo 1 > $S/drain; unload
insmod /spillway.ko points=kernel_write 2>/dev/null || echo "livepatch, then kernel_write: refused"
insmod /spillway.ko points=vfs_write,vfs_iter_write threshold=0 stacks=64; flow write /dev/cascade20 64 1
echo "livepatched: $(calls) calls, $(point vfs_iter_write switches) switches"
# The patch can go while the module is there, and then the function can be hooked.
echo 0 > /sys/kernel/livepatch/patch/enabled; until_true [ ! -e /sys/kernel/livepatch/patch ]; rmmod patch
echo 1 > $S/drain; unload; insmod /spillway.ko && echo "hooked again"`,
      { guardModules: ["patch"], observe: true },
    );
    expect(said).toMatch(/^direct, then BPF:\nfentry kernel_write: Device or resource busy$/m);
    expect(said).toMatch(/^direct, then livepatch: refused\nwrite .*: whole\nswitches 20$/m);
    expect(said).toMatch(/^ipmodify, then BPF:\nwrite .*: whole\nfentry kernel_write: 20 calls$/m);
    expect(said).toMatch(/^ipmodify, then livepatch: refused\nswitches 20$/m);
    // The mode falls back for the one function that is taken, and says so.
    expect(said).toMatch(
      /^BPF, then auto:\nwrite .*: whole\nipmodify\ndirect\nfentry kernel_write: 20 calls\nswitches 20$/m,
    );
    expect(said).toMatch(/^BPF, then direct:\nrefused\nfentry kernel_write: 0 calls\n0 0 0 0 $/m);
    expect(said).toMatch(
      /^the sleeper holds the livepatch up\nwrite .*: whole\nwrite .*: whole\nlivepatched: 8 calls$/m,
    );
    expect(said).toMatch(
      /^livepatch, then kernel_write: refused\nwrite .*: whole\nlivepatched: 28 calls, 20 switches$/m,
    );
    expect(console).toMatch(/spillway: kernel_write cannot be hooked: -16 \(a BPF program or a livepatch is there\)/);
    expect(said).toMatch(/^hooked again$/m);
  });
});
