/** spillway.ko on stock kernels: each test boots one, and reads what its console says. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backtrace, diagnose, openDump, openKernel } from "@spillway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileSource } from "../../cli/src/io/file-source.ts";
import { nodeCodecs } from "../../cli/src/io/node-codecs.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { runGuardScript } from "../src/guard-guest.ts";
import { KERNEL_SERIES, type KernelSeries } from "../src/lab-options.ts";
import type { ScriptGuest } from "../src/script-guest.ts";

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;

beforeAll(async () => {
  targets = await ensureLab(KERNEL_SERIES, ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-guard-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([...KERNEL_SERIES])("on %s", (series) => {
  /** What the script said, and beside it the whole console: the kernel's own lines come in between. */
  const guest = async (script: string, options: Partial<ScriptGuest> = {}) => {
    const result = await runGuardScript(targets.get(series)!.kernel, script, options);
    const lines = result.console.split("\n").filter((line) => !/^\[ *\d+\.\d+\]/.test(line));
    return { ...result, said: lines.join("\n") };
  };

  test("a chain that overflows the stock kernel survives, its data intact", async () => {
    const stock = await guest("echo /tmp/out > $C/target; flow write /dev/cascade31 4000 3");
    expect(stock.ended).toBe("panic");
    expect(stock.console).toMatch(/stack guard page/);

    const { said, ended } = await guest(`
insmod /spillway.ko; state total free in_use threshold
echo /tmp/out > $C/target
flow write /dev/cascade31 4000 3; flow check /tmp/out 4000 3
echo "nested: $(cat $S/high_water)"
echo 1 > $C/iter; flow write /dev/cascade31 4000 4; flow check /tmp/out 4000 4
echo "kernel_write $(cat $S/points/kernel_write/switches) vfs_iter_write $(cat $S/points/vfs_iter_write/switches)"
flow letter /dev/cascade25; echo hello > /dev/cascade25; state in_use refusals
sleep 1; rmmod spillway && echo unloaded`);
    expect(ended).toBe("script");
    expect(said).toMatch(/^total=4 free=4 in_use=0 threshold=8192 $/m);
    expect(said).toMatch(/^write \/dev\/cascade31: whole\ncheck \/tmp\/out: intact\nnested: [23]$/m);
    expect(said).toMatch(/^check \/tmp\/out: intact\nkernel_write \d\d vfs_iter_write \d\d$/m);
    expect(said).toMatch(/^letter \/dev\/cascade25: intact\nin_use=0 refusals=0 $/m);
    expect(said).toMatch(/^unloaded$/m);
  });

  test("bio, both ways of hooking, names that cannot be hooked, and loading again and again", async () => {
    const { said, ended } = await guest(
      `
for points in vfs_write,nonsense vfs_write,vfs_wri* vfs_write,vfs_write schedule vfs_write,no_such_function:int vfs_write:what ""; do
  insmod /spillway.ko points="$points" 2>/dev/null && echo "loaded $points"
  [ -e $S ] && echo "left a trace"
done
insmod /spillway.ko threshold=20000 2>/dev/null && echo "loaded threshold"
insmod /spillway.ko mode=other 2>/dev/null && echo "loaded mode"
insmod /spillway.ko points=vfs_writev:long,vfs_write && echo "unknown but said: $(cat $S/points/vfs_writev/mode)"; sleep 1; rmmod spillway
for mode in direct ipmodify; do
  insmod /spillway.ko mode=$mode threshold=0 stacks=64; flow write /dev/cascade20 64 1
  echo "$(cat $S/points/kernel_write/mode) $(cat $S/points/kernel_write/switches)"
  sleep 1; rmmod spillway
done
insmod /spillway.ko points=kernel_write,submit_bio_noacct threshold=0 stacks=1
dd if=/dev/nvme0n1 of=/dev/null bs=64k count=8 iflag=direct 2>/dev/null; [ $(cat $S/points/submit_bio_noacct/switches) -gt 7 ] && echo "bio switched"
echo 1 > $C/hold; flow write /dev/cascade1 64 1 & sleep 1
dd if=/dev/nvme0n1 of=/dev/null bs=64k count=1 skip=64 iflag=direct 2>/dev/null || echo "bio failed"
echo 0 > $C/hold; wait; dd if=/dev/nvme0n1 of=/dev/null bs=64k count=1 skip=65 iflag=direct 2>/dev/null && echo "bio works again"; sleep 1; rmmod spillway
for i in $(seq 5); do insmod /spillway.ko stacks=2 points=kernel_write || break; flow write /dev/cascade20 64 1 >/dev/null; echo 1 > $S/drain; until rmmod spillway 2>/dev/null; do sleep 1; done; done
echo "cycles $i"; grep -c spillway /proc/modules; grep -q spw_ /proc/kallsyms || echo "no symbol left"`,
      { timeoutMs: 200_000, diskMiB: 8 },
    );
    expect(ended).toBe("script");
    expect(said).not.toMatch(/^(loaded|left a trace)/m);
    expect(said).toMatch(/^unknown but said: direct$/m);
    expect(said).toMatch(/^direct 2[01]$/m);
    expect(said).toMatch(/^ipmodify 2[01]$/m);
    expect(said).toMatch(/^bio switched\nbio failed\n(write .*\n)?bio works again$/m);
    expect(said).toMatch(/^cycles 5\n0\nno symbol left$/m);
  });

  test.each([
    ["oops", "not-stack-related", "cascade_write"],
    ["runaway", "stack-overflow", "run_away"],
  ])("a dump of a crash on an extra stack (%s) is followed to user mode", async (act, kind, culprit) => {
    const vmcore = join(folder, `${act}-${series}`);
    const { ended } = await guest(
      `insmod /spillway.ko stacks=8; echo ${act} > $C/act; flow write /dev/cascade16 64 1`,
      { vmcore, commandLine: "oops=panic" },
    );
    expect(ended).toBe("panic");
    const kernel = openKernel(openDump([new FileSource(vmcore)], { codecs: nodeCodecs }));
    const diagnosis = diagnose(kernel, { path: vmcore });
    expect(diagnosis.verdict.kind).toBe(kind);
    expect(diagnosis.verdict.culprit?.function).toMatch(new RegExp(`^${culprit}`));
    const trace = backtrace(kernel, { task: kernel.panic.task! });
    expect(trace.end).toBe("user");
    expect(trace.frames.filter((frame) => frame.stack?.kind === "extra").length).toBeGreaterThan(1);
    expect(trace.frames.filter((frame) => frame.function === "cascade_write")).toHaveLength(17);
    if (kind === "stack-overflow") expect(diagnosis.stack?.kind).toBe("extra");
  });
});
