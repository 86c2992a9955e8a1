import { describe, expect, it } from "vitest";
import { parseConsole } from "./parse-console.ts";

const NULL_OOPS = `BUG: kernel NULL pointer dereference, address: 0000000000000014
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 1 UID: 0 PID: 152 Comm: sh Tainted: G           OE      6.12.117 #1
RIP: 0010:peer_bytes+0x5/0x10 [vandal]
RSP: 0018:ffff829e43804e70 EFLAGS: 00000246
RAX: 0000000000000009 RBX: 0000000000000009 RCX: 0000000000000037
Call Trace:
 <TASK>
 report_session+0x4e/0x70 [vandal]
 ? fput+0x1/0x20
 vfs_write+0xf8/0x450
 entry_SYSCALL_64_after_hwframe+0x76/0x7e
RIP: 0033:0x47b7a0
Code: 40 00 48 c7 c2 e0 ff ff
RSP: 002b:00007ffc3c9102d8 EFLAGS: 00000202 ORIG_RAX: 0000000000000001
 </TASK>
Modules linked in: vandal(OE) qemu_fw_cfg
---[ end trace 0000000000000000 ]---
RIP: 0010:peer_bytes+0x5/0x10 [vandal]
RSP: 0018:ffff829e43804e70 EFLAGS: 00000246
Kernel panic - not syncing: Fatal exception
`;

describe("parseConsole", () => {
  it("reads an oops with all that belongs to it", () => {
    const log = parseConsole(`[    0.000000] Linux version 6.12.117 (gcc)\nnoise\n${NULL_OOPS}`);
    expect(log).toMatchObject({ release: "6.12.117", banner: "Linux version 6.12.117 (gcc)", arch: "x86_64" });
    expect(log.crashes).toHaveLength(1);
    const [crash] = log.crashes;
    expect(crash).toMatchObject({
      headline: { kind: "page-fault", address: 0x14n },
      panic: "Fatal exception",
      cpu: 1,
      pid: 152,
      comm: "sh",
      release: "6.12.117",
      taints: "G           OE",
      modules: ["vandal", "qemu_fw_cfg"],
      taintedModules: [{ name: "vandal", taints: "OE" }],
      registers: { pc: { function: "peer_bytes" }, sp: 0xffff829e43804e70n, userMode: false, faultAddress: 0x14n },
      code: null,
      interleaved: false,
      cut: false,
    });
    expect(crash!.traces).toHaveLength(1);
    expect(crash!.traces[0]!.reachesUser).toBe(true);
    expect(crash!.traces[0]!.entries.map((entry) => `${entry.stale ? "?" : ""}${entry.function}`)).toEqual([
      "report_session",
      "?fput",
      "vfs_write",
      "entry_SYSCALL_64_after_hwframe",
    ]);
  });

  const strip = (text: string) => {
    const [crash] = parseConsole(text).crashes;
    return crash === undefined
      ? null
      : {
          headline: crash.headline.text,
          pid: crash.pid,
          pc: crash.registers?.pc?.function,
          sp: crash.registers?.sp,
          frames: crash.traces[0]?.entries.map((entry) => entry.function),
          panic: crash.panic,
        };
  };
  const each = (change: (line: string, index: number) => string) => NULL_OOPS.split("\n").map(change).join("\n");
  const whole = strip(NULL_OOPS);

  it.each<[string, string]>([
    ["timestamps", each((line, index) => `[   12.${String(345678 + index)}] ${line}`)],
    ["levels, timestamps and caller ids", each((line) => `<1>[   12.345678][  T152] ${line}`)],
    ["syslog", each((line) => `Nov 21 00:00:00 host kernel: [   12.345678] ${line}`)],
    ["the journal", each((line) => `Nov 21 00:00:00 host kernel: ${line}`)],
    ["/dev/kmsg", each((line, index) => `1,${index},12345678,-;${line}`)],
    ["CR LF", each((line) => `${line}\r`)],
    ["colours", each((line) => `\x1b[31m${line}\x1b[0m`)],
    ["a mail's quotes", each((line) => `> ${line}`)],
    ["noise between the lines", each((line) => `${line}\nrandom: crng init done\n[FAILED] Failed to start something.`)],
    [
      "pstore, last part first",
      `Oops#1 Part1\n${NULL_OOPS.slice(400)}Oops#1 Part2\n${NULL_OOPS.slice(0, 400)}`.replace(/^/, ""),
    ],
  ])("reads the same through %s", (_what, text) => {
    const found = strip(text);
    // A cut in the middle of a line costs that line.
    if (text.startsWith("Oops#1")) expect(found?.headline).toBe(whole!.headline);
    else expect(found).toEqual(whole);
  });

  it("tells interleaved CPUs apart by their caller ids", () => {
    const first = NULL_OOPS.split("\n").map((line) => `[    1.000000][  T152] ${line}`);
    const second = NULL_OOPS.replace("[#1]", "[#2]")
      .replaceAll("peer_bytes", "other_bytes")
      .replaceAll("152", "77")
      .split("\n")
      .map((line) => `[    1.000000][   T77] ${line}`);
    const mixed = first.flatMap((line, index) => [line, second[index]!]).join("\n");
    const { crashes } = parseConsole(mixed);
    expect(crashes.map((crash) => [crash.pid, crash.registers?.pc?.function, crash.traces[0]?.entries.length])).toEqual(
      [
        [152, "peer_bytes", 4],
        [77, "other_bytes", 4],
      ],
    );
    expect(crashes.some((crash) => crash.interleaved)).toBe(false);
  });

  it("says where nothing tells two CPUs' registers apart", () => {
    const lines = NULL_OOPS.split("\n");
    lines.splice(7, 0, "RSP: 0018:ffff888218303bb0 EFLAGS: 00010006");
    expect(parseConsole(lines.join("\n")).crashes[0]!.interleaved).toBe(true);
  });

  it("keeps a trace together that another CPU's message interrupts", () => {
    const lines = NULL_OOPS.split("\n");
    lines.splice(11, 0, "list_add corruption. next->prev should be prev (ffff8880ae72d8d8), but was 0.");
    const { crashes } = parseConsole(lines.join("\n"));
    expect(crashes[0]!.traces[0]!.entries).toHaveLength(4);
    expect(crashes[1]!.headline.kind).toBe("bug");
  });

  it("lists several crashes in order, each with its own", () => {
    const text = NULL_OOPS + NULL_OOPS.replace("[#1]", "[#2]").replaceAll("peer_bytes", "later");
    expect(parseConsole(text).crashes.map((crash) => crash.registers?.pc?.function)).toEqual(["peer_bytes", "later"]);
  });

  it("starts anew where the machine boots", () => {
    const text = `${NULL_OOPS.slice(0, 500)}\n[    0.000000] Linux version 6.12.118 (gcc)\n${NULL_OOPS}`;
    const { crashes } = parseConsole(text);
    expect(crashes.map((crash) => [crash.cut, crash.release])).toEqual([
      [true, "6.12.117"],
      [false, "6.12.117"],
    ]);
  });

  it.each([
    [
      "BUG: stack guard page was hit at 0000000000000001 (stack is 0..1)\nkernel stack overflow (double-fault): 0000 [#1] SMP\nCPU: 0 PID: 9 Comm: x Not tainted 4.20.0 #5",
      ["guard-page"],
      "one report",
    ],
    [
      "kernel BUG at lib/list_debug.c:62!\nOops: invalid opcode: 0000 [#1] PREEMPT SMP\nRIP: 0010:f+0x1/0x2",
      ["bug"],
      "BUG() and its oops",
    ],
    [
      "Insufficient stack space to handle exception!\nKernel panic - not syncing: kernel stack overflow",
      ["stack-overflow"],
      "arm64",
    ],
    [
      "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\nCall Trace:\n f+0x1/0x2\nBUG: stack guard page was hit at 1 (stack is 0..1)",
      ["warning", "guard-page"],
      "a warning, then a crash",
    ],
    [
      "Oops: 0000 [#1] SMP\nBUG: TASK stack guard page was hit at 1 (stack is 0..1)\nOops: stack guard page: 0000 [#2] SMP",
      ["page-fault", "guard-page"],
      "an oops that never came to its registers",
    ],
  ])("%j: %o (%s)", (text, kinds, _what) => {
    expect(parseConsole(text).crashes.map((crash) => crash.headline.kind)).toEqual(kinds);
  });

  it("reads an oops of 2.6 with its stack words", () => {
    const [crash] = parseConsole(`Unable to handle kernel NULL pointer dereference at 0000000000000008 RIP:
 [<ffffffff8010c1a2>] system_call+0x7e/0x83
Oops: 0000 [1] SMP
CPU 3
Pid: 1234, comm: httpd Not tainted 2.6.18-8.el5 #1
RIP: 0010:[<ffffffff8010c1a2>]  [<ffffffff8010c1a2>] system_call+0x7e/0x83
RSP: 0018:ffff8801d7e44e60  EFLAGS: 00010246
RAX: 0000000000000000 RBX: 0000000000000001 RCX: 0000000000000002
Process httpd (pid: 1234, threadinfo ffff8801d7e44000, task ffff8801d7e40000)
Stack:  ffffffff8175ec15 ffff880073b55b00 ffff880073473d00 ffffffff81760e50
 0000000000000000 ffff880073473ec8
Call Trace:
 [<ffffffff8175ec15>] inet_autobind+0x25/0x60
 [<ffffffff81760e50>]
 inet_sendmsg+0x190/0x1e0

Code: 48 8b 45 08 48 89 45 f8 <48> 8b 00 48 89 45 f0
`).crashes;
    expect(crash).toMatchObject({
      pid: 1234,
      release: "2.6.18-8.el5",
      registers: { pc: { function: "system_call", address: 0xffffffff8010c1a2n }, sp: 0xffff8801d7e44e60n },
      stackAt: 0xffff8801d7e44e60n,
      stacks: [{ name: "task", low: 0xffff8801d7e44000n }],
      code: { at: 8 },
    });
    expect(crash!.stackWords).toHaveLength(6);
    expect(crash!.traces[0]!.entries.map((entry) => entry.function)).toEqual(["inet_autobind", "inet_sendmsg"]);
  });

  it("reads KASAN's account", () => {
    const [crash] = parseConsole(`BUG: KASAN: stack-out-of-bounds in parse_tag+0x30/0x50 [vandal]
Write of size 4 at addr ffff8801ca7c7960 by task sh/95

CPU: 0 PID: 95 Comm: sh Not tainted 6.1.0 #1
Call Trace:
 dump_stack+0x194/0x257
 kasan_report+0x25b/0x340
 parse_tag+0x30/0x50 [vandal]
 parse_packet+0x12/0x34 [vandal]

The buggy address belongs to stack of task sh/95
 and is located at offset 64 in frame:
 parse_tag+0x0/0x50 [vandal]

This frame has 2 objects:
 [32, 48) 'tag'
 [96, 104) 'length'
`).crashes;
    expect(crash!.kasan).toEqual({
      bug: "stack-out-of-bounds",
      access: "write",
      bytes: 4,
      address: 0xffff8801ca7c7960n,
      objects: [
        { from: 32, to: 48, name: "tag" },
        { from: 96, to: 104, name: "length" },
      ],
      frame: expect.objectContaining({ function: "parse_tag" }),
      offsetInFrame: 64,
    });
  });

  it.each([
    [""],
    ["hello\n"],
    ["random: crng init done\nInitialise system trusted keyrings\n"],
    ["Call Trace:\n f+0x1/0x2\n"],
  ])("finds no crash in %j", (text) => {
    expect(parseConsole(text).crashes).toEqual([]);
  });
});
