/** What the module is for: a chain of I/O that overflows a stock kernel's stack goes through, its data intact. */
import { expect, test } from "vitest";
import { onEveryKernel } from "./guard-lab.ts";

onEveryKernel((guest) => {
  test("a stock kernel dies of the chain", async () => {
    const stock = await guest("echo /tmp/out > $C/target; flow write /dev/cascade31 4000 3");
    expect(stock.ended).toBe("panic");
    expect(stock.console).toMatch(/stack guard page/);
  });

  test("with the module it survives, its data intact", async () => {
    const { said, ended } = await guest(`
insmod /spillway.ko; state total free in_use threshold
echo /tmp/out > $C/target
flow write /dev/cascade31 4000 3; flow check /tmp/out 4000 3
echo "nested: $(cat $S/high_water)"
echo 1 > $C/iter; flow write /dev/cascade31 4000 4; flow check /tmp/out 4000 4
echo "kernel_write $(point kernel_write switches) vfs_iter_write $(point vfs_iter_write switches)"
flow letter /dev/cascade25; echo hello > /dev/cascade25; state in_use refusals
unload && echo unloaded`);
    expect(ended).toBe("script");
    expect(said).toMatch(/^total=4 free=4 in_use=0 threshold=8192 $/m);
    expect(said).toMatch(/^write \/dev\/cascade31: whole\ncheck \/tmp\/out: intact\nnested: [23]$/m);
    expect(said).toMatch(/^check \/tmp\/out: intact\nkernel_write \d\d vfs_iter_write \d\d$/m);
    expect(said).toMatch(/^letter \/dev\/cascade25: intact\nin_use=0 refusals=0 $/m);
    expect(said).toMatch(/^unloaded$/m);
  });
});
