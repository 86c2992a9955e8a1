/**
 * How deep file systems that exist get: overlay upon overlay upon xfs upon device mapper upon device mapper upon NVMe, while
 * memory is short, as spillway.ko's points see it. Nothing switches: each point only notes how full the stack was.
 *
 *   node bench/guard/file-systems.ts [--kernel 6.1,6.12]
 *
 * The kernel allows no third overlay (FILESYSTEM_MAX_STACK_DEPTH), and a loop device goes on in a thread of its own.
 */
import { parseArgs } from "node:util";
import { ensureLab } from "../../packages/lab/src/ensure-lab.ts";
import { runGuardScript } from "../../packages/lab/src/guard-guest.ts";
import { KERNEL_SERIES } from "../../packages/lab/src/lab-options.ts";
import { textTable } from "../lib/table.ts";

const { values } = parseArgs({ options: { kernel: { type: "string", default: KERNEL_SERIES.join(",") } } });
const kernels = KERNEL_SERIES.filter((series) => values.kernel.split(",").includes(series));

const SCRIPT = `
dmesg -n 3; set -e
insmod /spillway.ko stacks=4 threshold=12288 points=vfs_read,vfs_write,vfs_iter_read,vfs_iter_write,kernel_read,kernel_write,iterate_dir,vfs_getattr,notify_change,do_filp_open,vfs_fsync_range,vfs_create,vfs_mkdir,vfs_unlink,vfs_rename,submit_bio_noacct
sectors=$(cat /sys/block/nvme0n1/size)
echo "0 $sectors linear $(cat /sys/block/nvme0n1/dev) 0" | dmsetup create --noudevsync one
echo "0 $sectors linear $(cat /sys/block/dm-0/dev) 0" | dmsetup create --noudevsync two
dmsetup mknodes; mkdir /x /o1 /o2
mkfs.xfs -q -f /dev/mapper/two; mount -t xfs /dev/mapper/two /x
mkdir /x/lower /x/upper1 /x/work1 /x/upper2 /x/work2
for i in $(seq 12); do dd if=/dev/urandom of=/x/lower/$i bs=64k count=64 2>/dev/null; done
mount -t overlay overlay -o lowerdir=/x/lower,upperdir=/x/upper1,workdir=/x/work1 /o1
mount -t overlay overlay -o lowerdir=/o1,upperdir=/x/upper2,workdir=/x/work2 /o2
echo mounted; set +e
( until [ -e /tmp/stop ]; do dd if=/dev/zero of=/x/big bs=64k count=4000 2>/dev/null; done ) &
for i in $(seq 12); do
  echo 3 > /proc/sys/vm/drop_caches; dd if=/o2/$i of=/dev/null bs=64k 2>/dev/null
  # The first is a copy-up through both; then what makes, moves and takes away names.
  echo more >> /o2/$i; chmod 600 /o2/$i; mkdir /o2/d$i; mv /o2/$i /o2/d$i/moved
  dd if=/dev/zero of=/o2/new$i bs=64k count=32 conv=fsync 2>/dev/null; dd if=/dev/zero of=/o2/d$i/newer bs=64k count=32 2>/dev/null
  ls -lR /o2 > /dev/null; rm -r /o2/new$i /o2/d$i
done
touch /tmp/stop; wait; sync
for p in $S/points/*; do echo "point $(basename $p) $(cat $p/deepest) $(cat $p/calls)"; done
`;

const targets = await ensureLab(kernels, []);
for (const series of kernels) {
  const { console: output, ended } = await runGuardScript(targets.get(series)!.kernel, SCRIPT, {
    memoryMiB: 256,
    diskMiB: 700,
    timeoutMs: 900_000,
    kernelModules: ["overlay", "dm_mod", "libcrc32c", "crc32c_generic", "xfs"],
    tools: ["mkfs.xfs", "dmsetup"],
  });
  const rows = [...output.matchAll(/^point (\w+) (\d+) (\d+)$/gm)].map(([, name, deepest, calls]) => ({
    name: name!,
    deepest: Number(deepest),
    calls: calls!,
  }));
  if (ended !== "script" || !/^mounted$/m.test(output) || rows.length === 0) {
    throw new Error(`the guest did not come to its end:\n${output.slice(-3000)}`);
  }
  rows.sort((a, b) => b.deepest - a.deepest);
  console.log(`\nLinux ${series}: bytes of 16,384 in use when a point was called\n`);
  console.log(
    textTable(
      [
        { title: "point", align: "left" },
        { title: "deepest", align: "right" },
        { title: "calls", align: "right" },
      ],
      rows.map(({ name, deepest, calls }) => [name, deepest.toLocaleString("en"), calls]),
    ),
  );
}
