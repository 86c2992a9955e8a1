/**
 * Loading: with refused parameters, with each of its calls failing, again and again. Either all of it is there, or nothing.
 * SPILLWAY_LAB_CYCLES=100 loads and unloads it that often, which takes minutes.
 */
import { expect, test } from "vitest";
import { GUEST_TIMEOUT_MS, onEveryKernel, TEST_TIMEOUT_MS } from "./guard-lab.ts";

const CYCLES = Number(process.env.SPILLWAY_LAB_CYCLES ?? 4);
/** Beyond what any test may take: a cycle takes seconds, on a busy machine many. */
const CYCLES_MS = CYCLES * 30_000;

onEveryKernel((guest) => {
  test("parameters that are refused; points that are not known but said; both ways of hooking", async () => {
    const { said, ended } = await guest(`
load() { insmod /spillway.ko "$@" 2>/dev/null && echo "loaded $*"; }
for points in vfs_write,nonsense vfs_write,vfs_wri* vfs_write,vfs_write schedule vfs_write,no_such_function:int vfs_write:what vfs_write:bio ""; do
  load points="$points"
done
load threshold=12289; load threshold=-1; load mode=other; load stacks=1025; load stacks=0 per_cpu=0; load per_cpu=65
echo "traces: $(traces | tr '\\n' ' ')"
insmod /spillway.ko points=vfs_writev:long,vfs_write && echo "unknown but said: $(point vfs_writev mode)"; unload
for mode in direct ipmodify; do
  insmod /spillway.ko mode=$mode threshold=0 stacks=64; flow write /dev/cascade20 64 1
  echo "$(point kernel_write mode): $(point kernel_write switches) switches"; unload
done`);
    expect(ended).toBe("script");
    expect(said).not.toMatch(/^loaded/m);
    expect(said).toMatch(/^traces: 0 0 0 0 $/m);
    expect(said).toMatch(/^unknown but said: direct$/m);
    expect(said).toMatch(/^direct: 20 switches$/m);
    expect(said).toMatch(/^ipmodify: 20 switches$/m);
  });

  test("whichever of its calls fails while it loads: all of it is there, or nothing", async () => {
    const { console, said, ended } = await guest(
      `
insmod /faults.ko; traces > /dev/null
left() { [ ! -e /sys/module/spillway ] && [ ! -e $S ] && ! grep -e spw_ -e spillway $T/enabled_functions; }
n=1; loaded=0
while true; do
  echo $n > $F/nth
  if flow load /spillway.ko "stacks=1 points=vfs_write,kernel_write" > /dev/null; then
    [ -z "$(cat $F/last)" ] && break
    # The other way of hooking was taken: that has to work.
    loaded=$((loaded + 1)); echo 0 > $S/threshold; flow write /dev/cascade0 64 1 > /dev/null || echo "step $n: no write"
    [ $(point vfs_write switches) -ge 1 ] || echo "step $n: no switch"
    echo 0 > $F/nth; echo 1 > $S/drain; until rmmod spillway 2>/dev/null; do usleep 20000; done
  fi
  left || { echo "step $n: traces left by $(cat $F/last)"; break; }
  cat $F/last >> /tmp/failed; n=$((n + 1))
done
echo 0 > $F/nth; echo "steps $((n - 1)), $loaded of them loaded all the same"; echo failed: $(sort -u /tmp/failed)
unload; echo "traces: $(traces | tr '\\n' ' ')"`,
      { guardModules: ["faults"] },
    );
    expect(ended).toBe("script");
    expect(said).not.toMatch(/^step \d/m);
    const [, steps, loaded] = /^steps (\d+), (\d+) of them loaded all the same$/m.exec(said)!;
    expect(Number(steps)).toBeGreaterThan(28);
    expect(Number(loaded)).toBeGreaterThan(2);
    expect(said.match(/^failed: (.*)$/m)![1]!.split(" ")).toEqual(
      expect.arrayContaining(["ftrace_set_filter", "register_ftrace_function", "sysfs_create_group", "vmap"]),
    );
    expect(said).toMatch(/^traces: 0 0 0 0 $/m);
    expect(console).not.toMatch(/BUG:|WARNING:|Oops/);
  });

  test(`${CYCLES} times loaded, used and unloaded, in both modes by turns: no symbol, hook or memory is left`, {
    timeout: TEST_TIMEOUT_MS + CYCLES_MS,
  }, async () => {
    const { console, said, ended } = await guest(
      `
memory() { sync; echo 3 > /proc/sys/vm/drop_caches; awk '/^Slab|^VmallocUsed|^Percpu|^KernelStack/ { n += $2 } END { print n }' /proc/meminfo; }
cycle() {
  insmod /spillway.ko stacks=8 threshold=0 mode=$1 || return
  flow write /dev/cascade6 64 1 > /dev/null; [ $(point kernel_write switches) -ge 6 ] || return
  echo 1 > $S/drain; until rmmod spillway 2>/dev/null; do usleep 20000; done
}
cycle direct; cycle ipmodify; before=$(memory)
for i in $(seq 1 2 ${CYCLES}); do cycle direct || break; cycle ipmodify || break; done
sleep 1; grown=$(($(memory) - before)); echo "cycles $((i + 1)): $(traces | tr '\\n' ' ')"
[ $grown -lt 1500 ] && echo "no leak" || echo "grown by $grown kB"`,
      { timeoutMs: GUEST_TIMEOUT_MS + CYCLES_MS },
    );
    expect(ended).toBe("script");
    expect(said).toMatch(new RegExp(`^cycles ${CYCLES}: 0 0 0 0 $`, "m"));
    expect(said).toMatch(/^no leak$/m);
    expect(console).not.toMatch(/BUG:|WARNING:|Oops/);
  });
});
