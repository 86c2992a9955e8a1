import { expect, test } from "vitest";
import { cpu, fakeKernel, INIT_TASK, task } from "../testing/fake-kernel.ts";
import { formatModules } from "./mod.ts";
import { formatPsLine, formatStates, selectTasks } from "./ps.ts";
import { formatSymbol } from "./sym.ts";
import { formatMemory, formatSys, systemFacts } from "./sys.ts";

// Layouts are crash 8.0.2's.
test.each<[string, Parameters<typeof task>[0], number | null, string]>([
  ["on a CPU", { running: true }, 0, ">       1       0   0  ffff8a210120a0c0  RU  init\n"],
  ["asleep", { pid: 91, cpu: 1, state: "IN", comm: "sh" }, 1, "       91       1   1  ffff8a210120a0c0  IN  sh\n"],
  [
    "kernel thread",
    { kernelThread: true, comm: "kswapd0" },
    2,
    "        1       2   0  ffff8a210120a0c0  RU  [kswapd0]\n",
  ],
  ["idle", { pid: 0, comm: "swapper/1" }, 0, "        0       0   0  ffff8a210120a0c0  RU  [swapper/1]\n"],
  ["unknown parent and CPU", { cpu: null }, null, "        1       ?   ?  ffff8a210120a0c0  RU  init\n"],
  ["hostile name", { comm: "a\u001b[0m" }, 0, "        1       0   0  ffff8a210120a0c0  RU  a.[0m\n"],
])("ps: %s", (_name, facts, parent, expected) => {
  expect(formatPsLine(task(facts), parent)).toBe(expected);
});

const three = [
  task({ pid: 1, tgid: 1, comm: "init", running: true }),
  task({ pid: 2, tgid: 2, comm: "kthreadd", kernelThread: true, state: "IN", address: 0xffff8a2101274180n }),
  task({ pid: 9, tgid: 1, comm: "init", state: "IN", address: 0xffff8a2101274280n }),
];

test.each<[string, Parameters<typeof selectTasks>[1], number[]]>([
  ["all", {}, [1, 2, 9]],
  ["-k", { kernelOnly: true }, [2]],
  ["-u", { userOnly: true }, [1, 9]],
  ["-G", { leadersOnly: true }, [1, 2]],
  ["-A", { activeOnly: true }, [1]],
  ["by PID", { names: ["9"] }, [9]],
  ["by name", { names: ["init"] }, [1, 9]],
  ["by address", { names: ["ffff8a2101274180"] }, [2]],
  ["by address with 0x", { names: ["0xffff8a2101274180"] }, [2]],
  ["none such", { names: ["nobody"] }, []],
])("ps selects %s", (_name, filter, pids) => {
  expect(selectTasks(three, filter).map((one) => one.pid)).toEqual(pids);
});

test("ps -S counts states", () => {
  expect(formatStates(three)).toBe("  RU: 1\n  IN: 2\n");
});

test("mod", () => {
  const module = { name: "qemu_fw_cfg", address: 0xffffffffc04c42c0n, size: 20480, base: 0xffffffffc04c1000n };
  const text = formatModules([{ ...module, state: "live", taints: "", areas: [] }]);
  expect(text).toBe(
    "     MODULE       NAME               BASE         SIZE  STATE  TAINTS\n" +
      "ffffffffc04c42c0  qemu_fw_cfg  ffffffffc04c1000  20480  live\n",
  );
});

test.each([
  [0, null, "ffffffffad147120 (T) hrtimer_nanosleep\n"],
  [20, null, "ffffffffad147134 (T) hrtimer_nanosleep+20\n"],
  [20, "vandal", "ffffffffad147134 (T) hrtimer_nanosleep+20 [vandal]\n"],
])("sym +%d in %s", (offset, module, expected) => {
  const symbol = { name: "hrtimer_nanosleep", address: 0xffffffffad147120n, type: "T", module };
  expect(formatSymbol(symbol, offset)).toBe(expected);
});

test.each([
  [512, "512 bytes"],
  [267911168, "255.5 MB"],
  [1024 ** 3, "1 GB"],
  [137331617792, "127.9 GB"],
])("%d bytes of memory are %s", (bytes, expected) => {
  expect(formatMemory(bytes)).toBe(expected);
});

test("sys", () => {
  const kernel = fakeKernel({
    tasks: three,
    cpus: [cpu({ currentTask: INIT_TASK }), cpu({ number: 1, online: false })],
    overrides: { panic: { cpu: 0, task: INIT_TASK, message: "sysrq triggered crash", source: "log" } },
  });
  expect(formatSys(systemFacts(kernel, ["vmcore"]))).toBe(`    DUMPFILE: vmcore
        CPUS: 2 [OFFLINE: 1]
        DATE: Fri Nov 20 21:14:03 UTC 2026
      UPTIME: 00:00:01
LOAD AVERAGE: 0.00, 0.25, 1.50
       TASKS: 3
    NODENAME: (none)
     RELEASE: 6.1.0-56-cloud-amd64
     VERSION: #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2
     MACHINE: x86_64
      MEMORY: 255.5 MB
       PANIC: "sysrq triggered crash"
`);
});

test("sys says what it does not know", () => {
  const overrides = { crashTime: null, uptimeSeconds: null, loadAverage: null, memoryBytes: null, banner: "Linux" };
  const text = formatSys(systemFacts(fakeKernel({ overrides }), ["vmcore"]));
  expect(text.match(/^ *(\S.*): \(unknown\)$/gm)?.map((line) => line.trim().split(":")[0])).toEqual([
    "DATE",
    "UPTIME",
    "LOAD AVERAGE",
    "VERSION",
    "MEMORY",
  ]);
});
