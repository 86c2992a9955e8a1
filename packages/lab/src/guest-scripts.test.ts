import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { capturingInit, crashingInit, MARKS } from "./guest-scripts.ts";

const guest = {
  modules: ["modules/a.ko", "modules/b.ko"],
  setup: ["echo 1 >/proc/sys/kernel/hung_task_panic"],
  trigger: "echo bug >/proc/vandal",
  crashKernelCommandLine: null,
};

const kdumpGuest = { ...guest, crashKernelCommandLine: "console=ttyS0 nr_cpus=1" };

describe("the guest's scripts", () => {
  test.each([
    ["crashing", crashingInit(guest)],
    ["crashing with a crash kernel", crashingInit(kdumpGuest)],
    ["capturing", capturingInit(["-c", "-d", "31"])],
  ])("%s: a shell can read it", (_name, script) => {
    execFileSync("sh", ["-n"], { input: script });
  });

  test("load modules, prepare, say so, and only then crash", () => {
    const script = crashingInit(guest);
    const order = ["insmod /modules/a.ko", "insmod /modules/b.ko", "hung_task_panic", MARKS.ready, "/proc/vandal"];
    const places = order.map((text) => script.indexOf(text));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(script).not.toContain("kexec");
  });

  test("load the crash kernel with its command line", () => {
    expect(crashingInit(kdumpGuest)).toContain('--append="console=ttyS0 nr_cpus=1"');
  });
});
