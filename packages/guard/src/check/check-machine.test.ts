import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { HostFacts } from "../host.ts";
import { fakeHost, GUARD_FILES } from "../testing/fake-host.ts";
import { checkMachine } from "./check-machine.ts";

/** What a stock Debian machine shows to root. */
const CONFIG = [
  ...["MODULES", "THREAD_INFO_IN_TASK", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "STACKTRACE", "VMAP_STACK"],
  ...["UNWINDER_ORC", "KALLSYMS", "BPF", "X86_64", "SMP"],
].map((name) => `CONFIG_${name}=y`);
const FILES: Record<string, string | Uint8Array> = {
  "/boot/config-6.1.0-57-amd64": CONFIG.join("\n"),
  "/proc/modules": "",
  "/proc/version": "Linux version 6.1.0-57-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.164-1\n",
  "/proc/self/uid_map": "         0          0 4294967295\n",
  "/proc/self/status": "Name:\tnode\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n",
  "/proc/sys/kernel/modules_disabled": "0\n",
  "/proc/sys/kernel/ftrace_enabled": "1\n",
  "/sys/module/module/parameters/sig_enforce": "N\n",
  "/sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
  "/lib/modules/6.1.0-57-amd64/build/Makefile": "",
};

const check = (files: Record<string, string | Uint8Array> = {}, facts: Partial<HostFacts> = {}) =>
  checkMachine(fakeHost({ ...FILES, ...files }, facts));

test("a stock machine can", () => {
  const { ok, reasons, findings } = check();
  expect([ok, reasons]).toEqual([true, []]);
  // The compiler is the testing machine's.
  expect(findings.filter(({ state, id }) => state !== "ok" && id !== "compiler")).toEqual([]);
});

const without = (option: string) => CONFIG.filter((line) => line !== `CONFIG_${option}=y`).join("\n");
const SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
const INSTALLED = "/lib/modules/6.1.0-57-amd64/updates/dkms/spillway.ko";

describe("what forbids", () => {
  test.each<[string, Record<string, string | Uint8Array>, Partial<HostFacts>, RegExp]>([
    ["architecture", {}, { machine: "aarch64" }, /the machine is aarch64/],
    [
      "ftrace-direct-calls",
      { "/boot/config-6.1.0-57-amd64": without("DYNAMIC_FTRACE_WITH_DIRECT_CALLS") },
      {},
      /without CONFIG_DYN/,
    ],
    [
      "ftrace-direct-calls",
      { "/proc/config.gz": gzipSync(without("DYNAMIC_FTRACE_WITH_DIRECT_CALLS")) },
      {},
      /without CONFIG_DYN/,
    ],
    ["thread-info-in-task", { "/boot/config-6.1.0-57-amd64": without("THREAD_INFO_IN_TASK") }, {}, /live in its stack/],
    [
      "kasan-stack",
      { "/boot/config-6.1.0-57-amd64": [...CONFIG, "CONFIG_KASAN_STACK=y"].join("\n") },
      {},
      /KASAN_STACK/,
    ],
    ["modules-disabled", { "/proc/sys/kernel/modules_disabled": "1\n" }, {}, /until the next boot.*reboot/],
    [
      "capability",
      { "/proc/self/status": "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n" },
      {},
      /container.*--cap-add/,
    ],
    ["capability", { "/proc/self/uid_map": "0 1000 1\n" }, {}, /user namespace/],
    [
      "signature",
      { "/sys/module/module/parameters/sig_enforce": "Y\n" },
      {},
      /the kernel enforces signatures.*sign it/,
    ],
    [
      "signature",
      { "/sys/kernel/security/lockdown": "none [integrity] confidentiality\n" },
      {},
      /locked down \(integrity\):/,
    ],
    [
      "signature",
      {
        "/sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
        [SECURE_BOOT]: Uint8Array.of(6, 0, 0, 0, 1),
      },
      {},
      /because the machine booted securely/,
    ],
    ["signature", { "/sys/module/module/parameters/sig_enforce": "Y\n", [INSTALLED]: "unsigned" }, {}, /refused/],
    ["ftrace-enabled", { "/proc/sys/kernel/ftrace_enabled": "0\n" }, {}, /sysctl kernel\.ftrace_enabled=1/],
  ])("%s", (id, files, facts, reason) => {
    const { ok, reasons, findings } = check(files, facts);
    expect(ok).toBe(false);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
    expect(findings.filter(({ state }) => state === "forbids").map((finding) => finding.id)).toEqual([id]);
  });
});

const TRACING = "/sys/kernel/tracing";
const ALL_POINTS = ["vfs_read", "vfs_write", "vfs_iter_read", "vfs_iter_write", "kernel_read", "kernel_write"];

describe("what is only worth knowing", () => {
  test.each<[string, Record<string, string | Uint8Array>, Partial<HostFacts>, RegExp]>([
    ["release", {}, { release: "6.5.0-1-amd64" }, /Linux 6\.5 lies between the tested ones/],
    ["release", {}, { release: "7.0.3" }, /Linux 7\.0 lies outside of what is tested/],
    ["vmap-stack", { "/boot/config-6.1.0-57-amd64": without("VMAP_STACK") }, {}, /no guard page/],
    ["kasan", { "/boot/config-6.1.0-57-amd64": [...CONFIG, "CONFIG_KASAN=y"].join("\n") }, {}, /KASAN: untested/],
    [
      "realtime",
      { "/proc/version": "Linux version 6.1.0 #1 SMP PREEMPT_RT Debian\n" },
      {},
      /PREEMPT_RT kernel: untested/,
    ],
    [
      "capability",
      { "/proc/self/status": "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n" },
      { uid: 1000 },
      /root may/,
    ],
    [
      "signature",
      { "/sys/module/module/parameters/sig_enforce": "Y\n", [INSTALLED]: "code~Module signature appended~\n" },
      {},
      /The installed one is/,
    ],
    [
      "points",
      { [`${TRACING}/available_filter_functions`]: `${ALL_POINTS.join("\n")}\niterate_dir\n` },
      {},
      /hook for submit_bio_noacct/,
    ],
    [
      "other-users",
      {
        [`${TRACING}/enabled_functions`]:
          "vfs_write (1) R   D   M \ttramp: ftrace_regs_caller+0x0/0x65 (call_direct_funcs+0x0/0x20)\n",
      },
      {},
      /others hook vfs_write \(a direct call, BPF mostly\)/,
    ],
    [
      "other-users",
      { [`${TRACING}/enabled_functions`]: "vfs_read (2) R I D\ttramp: x\n" },
      {},
      /both ways .* vfs_read/,
    ],
    ["loaded", GUARD_FILES, {}, /loaded already/],
  ])("%s", (id, files, facts, text) => {
    const { ok, findings } = check(files, facts);
    expect(ok).toBe(true);
    expect(findings.find((finding) => finding.id === id)).toMatchObject({
      state: "note",
      text: expect.stringMatching(text),
    });
  });
});

test("without a configuration the kernel's symbols tell", () => {
  const { "/boot/config-6.1.0-57-amd64": _, ...files } = FILES;
  const list = ["schedule", "register_ftrace_direct_multi", "stack_trace_save", "unwind_module_init"];
  const kallsyms = list.map((name) => `0000000000000000 T ${name}\n`).join("");
  const told = checkMachine(fakeHost({ ...files, "/proc/kallsyms": kallsyms }));
  expect(told.ok).toBe(true);
  const finding = (id: string) => told.findings.find((one) => one.id === id);
  expect(finding("ftrace-direct-calls")).toMatchObject({
    state: "ok",
    source: "register_ftrace_direct_multi in /proc/kallsyms",
  });
  expect(finding("vmap-stack")).toMatchObject({ state: "note", source: "no handle_stack_overflow in /proc/kallsyms" });

  const silent = checkMachine(fakeHost(files));
  expect(silent.ok).toBe(true);
  const unknown = silent.findings.filter(({ state }) => state === "unknown").map(({ id }) => id);
  expect(unknown).toEqual(["ftrace-direct-calls", "stacktrace"]);
});
