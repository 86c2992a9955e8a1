import { DUMP_MARK } from "../script-guest.ts";

/** The ways in which a workload is watched. */
export const WATCHES = [
  /** The function tracer: every call of a traceable function with its return address. */
  "calls",
  /** The function_graph tracer: which function runs inside which. */
  "nests",
  /** Kernel stacks beside trace events. */
  "stacks",
  /** The stack tracer: the deepest stack of each moment, with the size of every frame. */
  "depths",
] as const;
export type Watch = (typeof WATCHES)[number];

/** Tracepoints that lie deep in the kernel's own calls. */
const EVENTS =
  "block cgroup compaction context_tracking csd dma_fence error_report exceptions ext4 fib filelock filemap huge_memory icmp iocost " +
  "iomap io_uring irq irq_vectors jbd2 kmem mmap mmap_lock module napi neigh net netlink notifier nvme oom page_isolation page_pool " +
  "pagemap percpu qdisc rcu sched scsi signal skb sock swiotlb task tcp thp timer tlb udp vmalloc vmscan workqueue writeback " +
  "xdp xfs maple_tree ipi";

/** With the ring buffers open no tracer can be set: first the tracer, then the observer, then the switch. */
const observing = (watch: Watch, tracer: string): string => `echo 0 > $T/tracing_on
${tracer}
observe pairs /out/${watch} & observer=$!; sleep 1
echo 1 > $T/tracing_on`;

const START: Readonly<Record<Watch, string>> = {
  calls: observing("calls", "echo function > $T/current_tracer"),
  // The nesting of a task that moves to another CPU could not be followed: one CPU only.
  nests: observing(
    "nests",
    `echo 0 > /sys/devices/system/cpu/cpu1/online
echo function_graph > $T/current_tracer`,
  ),
  stacks: observing(
    "stacks",
    `echo 1 > $T/options/stacktrace
for event in ${EVENTS}; do [ -e $T/events/$event ] && echo 1 > $T/events/$event/enable; done`,
  ),
  depths: `echo 1 > /proc/sys/kernel/stack_tracer_enabled
observe depths /out/depths/stack_trace & observer=$!`,
};

/** After the observer has ended. */
const STOP: Readonly<Record<Watch, string>> = {
  calls: "echo nop > $T/current_tracer",
  nests: "echo nop > $T/current_tracer; echo 1 > /sys/devices/system/cpu/cpu1/online",
  stacks: "echo 0 > $T/events/enable; echo 0 > $T/options/stacktrace",
  depths: "echo 0 > /proc/sys/kernel/stack_tracer_enabled",
};

/** What the guest does while it is watched, as shell lines; `$disk` is a disk, `$mib` how much memory to touch. */
export interface TraceScript {
  readonly watches: readonly Watch[];
  readonly work: string;
  /** When the memory is written to a file: in the middle of each watch (`WATCH.vmcore`), or once, after them (`end.vmcore`). */
  readonly dumps: "each" | "end" | "none";
}

const PREPARE = `
. /workload.sh
T=/sys/kernel/tracing
mount -t tracefs tracefs $T
disk=/dev/nvme0n1; results=/dev/nvme1n1
grep -q results /sys/class/nvme/nvme0/serial && disk=/dev/nvme1n1 results=/dev/nvme0n1
mkdir -p /out /mnt
load_modules
echo 12000 > $T/buffer_size_kb
mib=$(($(sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo) / 1024 + 24))
`;

/** Where everything is, for those who read addresses: modules stay loaded until the end. */
const TELL = `
uname -r > /out/release
for module in /sys/module/*; do
  for section in $module/sections/* $module/sections/.*; do
    [ -f $section ] && case $section in *.text*) echo "\${module##*/} \${section##*/} $(cat $section)";; esac
  done
done | sort -u > /out/sections
cp /proc/kallsyms /out/kallsyms
cp $T/available_filter_functions /out/traceable
cd /out && tar -cf $results .
sync
`;

/** The shell script of a guest that is watched at work and leaves a tar archive on its "results" disk. */
export function traceScript(script: TraceScript): string {
  const parts = script.watches.map((watch) => {
    const dump = script.dumps === "each" ? `(sleep 8; echo "${DUMP_MARK} ${watch}") & ` : "";
    return `mkdir -p /out/${watch}
${START[watch]}
echo "watching ${watch} from $(cut -d' ' -f1 /proc/uptime)"
${dump}${script.work}
echo 0 > $T/tracing_on
kill $observer; wait $observer
${STOP[watch]}
echo "watched ${watch} until $(cut -d' ' -f1 /proc/uptime)"`;
  });
  const last = script.dumps === "end" ? `echo "${DUMP_MARK} end"; sleep 1` : "";
  return [PREPARE, ...parts, last, TELL].join("\n");
}
