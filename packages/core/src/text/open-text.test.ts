import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SpillwayError } from "../errors.ts";
import { openText } from "./open-text.ts";

const lab = (name: string): string => readFileSync(new URL(`logs/${name}.txt`, import.meta.url), "utf8");
const verdictOf = (text: string) => {
  const { verdict } = openText(text, "log").diagnose();
  return [verdict.kind, verdict.cause, verdict.confidence, verdict.culprit?.function ?? null];
};

describe("logs of the lab, whose truth is known", () => {
  it.each([
    ["deep-chain-6.12", "stack-overflow", "deep-call-chain", "likely", null],
    ["recursion-indirect-6.1", "stack-overflow", "recursion", "likely", "bond_update_features"],
    ["hardirq-recursion-6.12", "irq-stack-overflow", "recursion", "likely", "poll_channel"],
    ["nmi-recursion-6.1", "irq-stack-overflow", "recursion", "likely", "report_records"],
    ["large-frame-6.1", "stack-overflow", "large-frame", "likely", "expand_block"],
    ["overrun-short-6.1", "stack-buffer-overflow", null, "possible", "parse_value"],
    ["stack-end-6.1", "stack-end-corrupted", null, "likely", null],
    ["return-zeroed-6.1", "return-address-corrupted", null, "possible", null],
    ["return-overwritten-6.1", "return-address-corrupted", null, "likely", null],
    ["null-call-6.1", "not-stack-related", null, "likely", "close_session"],
    ["null-dereference-6.12", "not-stack-related", null, "likely", "peer_bytes.isra.0"],
    ["hung-task-6.1", "not-stack-related", null, "likely", "kthread"],
    // A pointer into a guard page is no overflow, whatever the kernel calls it.
    ["guard-direct-6.12", "not-stack-related", null, "likely", "rd"],
    // RSP was set to the heap: what was before is lost.
    ["rspheap-6.12", "undetermined", null, "possible", null],
    // Somebody panicked with the scheduler's words.
    ["spoof2-6.12", "not-stack-related", null, "likely", "do_spoof2.constprop.0.isra.0"],
    // The report of an oops ran over the stack, and the oops came first.
    ["used13-null-6.1", "not-stack-related", null, "possible", null],
    // A frame that passed over the guard page of an interrupt's stack: which stack it was, the log does not say.
    ["far-irqwork-6.12", "stack-overflow", "large-frame", "possible", "far_leaf.constprop.0"],
  ])("%s: %s, %s, %s, %s", (name, ...expected) => {
    expect(verdictOf(lab(name))).toEqual(expected);
  });

  it("gives the stack, the overrun and the frames of an overflow", () => {
    const diagnosis = openText(lab("deep-chain-6.12"), "console.log").diagnose();
    expect(diagnosis).toMatchObject({
      input: { kind: "log", format: "console", path: "console.log" },
      kernel: { release: "6.12.117+deb12-cloud-amd64", arch: "x86_64", crashTime: null },
      panic: { cpu: 1, pid: 148, comm: "sh", task: null },
      stack: { kind: "task", low: "0xffffcc07c0420000", high: "0xffffcc07c0424000", usedBytes: 16384 },
    });
    expect(diagnosis.panic.message).toMatch(/^BUG: TASK stack guard page was hit/);
    const [first, second] = diagnosis.frames;
    expect(first).toMatchObject({
      function: "disk_queue",
      module: "vandal",
      sp: "0xffffcc07c041fec0",
      certainty: "proven",
    });
    expect(second).toMatchObject({ function: "path_select", sp: null, address: null, certainty: "inferred" });
    expect(second!.why).toContain("unwinder");
    expect(diagnosis.frames).toHaveLength(29);
    expect(diagnosis.evidence.map((item) => item.id)).toEqual(
      expect.arrayContaining(["kernel-said", "stack-range", "overrun", "frame-size", "faulting-instruction"]),
    );
    expect(diagnosis.missing.join()).toContain("no verdict from it is certain");
  });

  it("finds the turns of a circle of several functions", () => {
    const { recursion, frames } = openText(lab("recursion-indirect-6.1"), "log").diagnose();
    expect(recursion!.functions).toHaveLength(6);
    expect(recursion!.turns).toBeGreaterThan(40);
    expect(recursion!.bytesPerTurn).toBeNull();
    expect(frames[recursion!.firstFrame]!.function).toBe(recursion!.functions[0]);
  });

  it.each(["deep-chain-6.12", "return-zeroed-6.1", "null-call-6.1", "overrun-short-6.1"])(
    "gives the same verdict on %s through every transport",
    (name) => {
      const text = lab(name);
      const plain = text.replaceAll(/^\[ *\d+\.\d+\] /gm, "");
      const lines = plain.split("\n");
      const expected = verdictOf(text);
      for (const changed of [
        plain,
        text.replaceAll("\n", "\r\n"),
        lines.map((line) => `Nov 21 00:00:00 host kernel: ${line}`).join("\n"),
        lines.map((line, index) => `4,${index},123,-;${line}`).join("\n"),
        lines.map((line) => `${line}\nsystemd[1]: Started a service.`).join("\n"),
        `prose before\n\n${text}\nprose behind\n`,
      ]) {
        expect(verdictOf(changed)).toEqual(expected);
      }
    },
  );
});

/** A log of which one line matters. */
const short = (headline: string, ...rest: string[]): string => [headline, ...rest].join("\n");
const CPU = "CPU: 1 PID: 95 Comm: sh Not tainted 6.1.0 #1";
const chain = (...names: string[]): string[] => ["Call Trace:", ...names.map((name) => ` ${name}+0x12/0x200`)];
const OUTER = ["vfs_write", "ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"];

describe("verdicts on short logs", () => {
  it.each<[string, string, unknown[]]>([
    [
      "arm64: the entry code's own check",
      short(
        "Insufficient stack space to handle exception!",
        "FAR: 0xffff800015fdffa0",
        "Task stack:     [0xffff800015fe0000..0xffff800015fe4000]",
        "IRQ stack:      [0xffff800008008000..0xffff80000800c000]",
        "Overflow stack: [0xffff0001fefdb310..0xffff0001fefdc310]",
        CPU,
        "pc : mark_lock+0x4/0x1b4",
        "sp : ffff800015fdffd0",
        "x29: ffff800015fe00b0 x28: 0000000000000002 x27: ffff00013e520050",
        "Kernel panic - not syncing: kernel stack overflow",
        ...chain(
          "panic",
          "handle_bad_stack",
          "mark_lock",
          ...Array.from({ length: 12 }, () => "walk_tree"),
          "el0t_64_sync",
        ),
      ),
      ["stack-overflow", "recursion", "likely", "walk_tree"],
    ],
    [
      "arm64: an IRQ stack",
      short(
        "Insufficient stack space to handle exception!",
        "Task stack:     [0xffff800015fe0000..0xffff800015fe4000]",
        "IRQ stack:      [0xffff800008008000..0xffff80000800c000]",
        CPU,
        "pc : f+0x4/0x1b4",
        "sp : ffff800008007fd0",
        "x29: ffff800015fe00b0 x28: 0000000000000002 x27: ffff00013e520050",
      ),
      ["irq-stack-overflow", null, "likely", "f"],
    ],
    [
      "arm64: a stack pointer on no stack",
      short(
        "Insufficient stack space to handle exception!",
        "Task stack:     [0xffff800015fe0000..0xffff800015fe4000]",
        CPU,
        "pc : f+0x4/0x1b4",
        "sp : 0000000000001000",
        "x29: ffff800015fe00b0 x28: 0000000000000002 x27: ffff00013e520050",
      ),
      ["undetermined", null, "possible", "f"],
    ],
    [
      "riscv",
      short(
        "Insufficient stack space to handle exception!",
        "Task stack:     [0xff20000010a98000..0xff20000010a9c000]",
        CPU,
        "epc : f+0x4/0x1b4",
        " epc : ffffffff80005a2c ra : ffffffff80005a30 sp : ff20000010a97fd0",
        "Kernel panic - not syncing: Kernel stack overflow",
      ),
      ["stack-overflow", null, "likely", "f"],
    ],
    [
      "powerpc",
      short(
        "Kernel stack overflow in process c0000000fe5a2b00, r1=c0000000fe5a7e80",
        CPU,
        "NIP [c0000000000d8a5c] f+0x1c/0x30",
      ),
      ["stack-overflow", null, "possible", "f"],
    ],
    [
      "x86_64 without VMAP_STACK: a push below a page, reported as a double fault",
      short(
        "PANIC: double fault, error_code: 0x0",
        CPU,
        "RIP: 0010:f+0x1d/0x3f0",
        "RSP: 0018:ffff888216f8bfd8 EFLAGS: 00010296",
        "CR2: ffff888216f8bfc8 CR3: 0000000208 CR4: 0",
        "Call Trace:",
        "Kernel panic - not syncing: Machine halted.",
      ),
      ["stack-overflow", null, "possible", "f"],
    ],
    [
      "an interrupt's look at the stack it came upon",
      short(
        "do_IRQ: sshd near stack overflow (cur:ffff8801d7e44000,sp:ffff8801d7e440f0)",
        "Pid: 1234, comm: sshd Not tainted 2.6.32-431.el6.x86_64 #1",
        "Call Trace:",
        ...Array.from({ length: 30 }, (_, index) => ` [<ffffffff8116${1000 + index}>] f${index}+0x12/0x200`),
        " [<ffffffff8100b072>] system_call_fastpath+0x16/0x1b",
      ),
      ["stack-overflow", "deep-call-chain", "possible", null],
    ],
    [
      "the same, with a stack pointer on another stack",
      short(
        "do_IRQ(): x has overflown the kernel stack (cur:ffff888053700000,sp:ffff8880ac1651b8,irq stk top-bottom:0-0)",
        "CPU: 0 PID: 14788 Comm: x Not tainted 4.20.0+ #6",
      ),
      ["undetermined", null, "possible", null],
    ],
    [
      "a double fault for another reason",
      short(
        "PANIC: double fault, error_code: 0x0",
        CPU,
        "RIP: 0010:f+0x1d/0x3f0",
        "RSP: 0000:ffffc90000f5fbc0 EFLAGS: 00010296",
        "CR2: 0000000000006001 CR3: 0000000208 CR4: 0",
        ...chain(...OUTER),
      ),
      ["undetermined", null, "possible", "f"],
    ],
    [
      "RSP cut to 32 bits",
      short(
        "PANIC: double fault, error_code: 0x0",
        CPU,
        "RIP: 0010:f+0x1d/0x3f0",
        "RSP: 0000:0000000000277d78 EFLAGS: 00010296",
        "CR2: 0000000000277d68 CR3: 0000000208 CR4: 0",
      ),
      ["undetermined", null, "possible", "f"],
    ],
    [
      "the detector by its address alone, as 3.10 prints it",
      short(
        "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: ffffffff8343632e",
        "Call Trace:",
        " [<ffffffff8140d474>] panic+0x19e/0x38d",
        " [<ffffffff81132bc2>] __stack_chk_fail+0x22/0x30",
        " [<ffffffff8343632e>] ip6_xmit+0x18ae/0x1a00",
        " [<ffffffff834f63c5>] inet6_csk_xmit+0x245/0x490",
      ),
      ["stack-buffer-overflow", null, "possible", "ip6_xmit"],
    ],
    [
      "KASAN: an out-of-bounds access to a stack",
      short(
        "BUG: KASAN: stack-out-of-bounds in strnlen+0xc1/0xd0",
        "Read of size 1 at addr ffff8801d0877d04 by task x/3469",
        CPU,
        ...chain("dump_stack", "kasan_report", "strnlen", "vsnprintf", "do_ctl", ...OUTER),
      ),
      ["stack-buffer-overflow", null, "likely", "do_ctl"],
    ],
    [
      "KASAN: at the end of deep recursion",
      short(
        "BUG: KASAN: stack-out-of-bounds in f+0x1/0x50",
        "Read of size 4 at addr ffff8880a9eb8cbc by task x/1",
        CPU,
        ...chain("kasan_report", "f", ...Array.from({ length: 10 }, () => ["err", "gue_err"]).flat()),
      ),
      ["stack-overflow", "recursion", "likely", "err"],
    ],
    [
      "KASAN: the unwinder at work",
      short(
        "BUG: KASAN: stack-out-of-bounds in unwind_next_frame+0x1/0x50",
        "Read of size 8 at addr ffff8880a9eb8cbc by task x/1",
        CPU,
        ...chain("kasan_report", "unwind_next_frame", "save_stack_trace"),
      ),
      ["undetermined", null, "possible", "unwind_next_frame"],
    ],
    [
      "KASAN: the heap",
      short(
        "BUG: KASAN: slab-out-of-bounds in f+0x1/0x50",
        "Write of size 8 at addr ffff8880a9eb8cbc by task x/1",
        CPU,
        ...chain("kasan_report", "f", ...OUTER),
      ),
      ["not-stack-related", null, "likely", "f"],
    ],
    [
      "the stack's end, with recursion in the trace",
      short(
        "Kernel panic - not syncing: corrupted stack end detected inside scheduler",
        CPU,
        ...chain("dump_stack", "panic", "__schedule", ...Array.from({ length: 12 }, () => "nest"), ...OUTER),
      ),
      ["stack-overflow", "recursion", "likely", "nest"],
    ],
    [
      "the stack's end, seen at a fault",
      short(
        "BUG: unable to handle kernel paging request at 00000000fffffff8",
        "Thread overran stack, or stack corrupted",
        "Oops: 0000 [#1] SMP",
        CPU,
        "RIP: 0010:f+0x1/0x3f0",
        "RSP: 0018:ffff8801d7e44060 EFLAGS: 00010296",
        "RAX: 0000000000000000 RBX: 0000000000000001 RCX: 0000000000000002",
      ),
      ["stack-end-corrupted", null, "likely", null],
    ],
    [
      "only entries that nobody vouches for, over and over",
      short(
        "BUG: stack guard page was hit at 00000000397c6d92 (stack is 00000000a0f6b86a..000000000e6f9570)",
        "kernel stack overflow (double-fault): 0000 [#1] PREEMPT SMP",
        CPU,
        "RIP: 0010:look+0x1d/0x3f0",
        "RSP: 0018:ffffc90000ca7fe8 EFLAGS: 00010286",
        "CR2: ffffc90000ca7fd8 CR3: 1 CR4: 1",
        "Call Trace:",
        ...Array.from({ length: 12 }, () => [" ? gue_err+0x105/0x270", " ? udp_err+0x3b8/0x640"]).flat(),
      ),
      ["stack-overflow", "recursion", "likely", "udp_err"],
    ],
    [
      "a warning, survived, and later the crash",
      short(
        "WARNING: CPU: 0 PID: 1 at a.c:1 harmless+0x1/0x20",
        CPU,
        ...chain("harmless", ...OUTER),
        "BUG: unable to handle page fault for address: 0000000000000008",
        "Oops: 0000 [#1] SMP",
        CPU,
        "RIP: 0010:guilty+0x1/0x3f0",
        "RSP: 0018:ffffc90000ca7ce8 EFLAGS: 00010286",
        ...chain("caller", ...OUTER),
      ),
      ["not-stack-related", null, "likely", "guilty"],
    ],
    [
      "the unwinder's complaint alone",
      short(
        "WARNING: kernel stack regs at ffff8801d100fea8 in syz:16059 has bad 'bp' value ffff8801d100ff28",
        "unwind stack type:0 next_sp:          (null) mask:0x6 graph_idx:0",
        "ffff88003ed06ef0: ffff88003ed06f78 (0xffff88003ed06f78)",
      ),
      ["undetermined", null, "possible", null],
    ],
    [
      "frames by frame pointers behind a wild call",
      short(
        "BUG: unable to handle kernel paging request at ffff880214d12c00",
        "Oops: 0011 [#1] SMP",
        CPU,
        "RIP: 0010:0xffff880214d12c00",
        "RSP: 0018:ffffc900010c7c70 EFLAGS: 00010212",
        "RAX: ffff8801def81900 RBX: ffff8801e2dd8310 RCX: ffffffff811acd8d",
        "Call Trace:",
        " ? sha1_init+0x6a/0x70",
        " hash_sendmsg+0xc2/0x340",
        " entry_SYSCALL_64_fastpath+0x1f/0x96",
      ),
      ["not-stack-related", null, "possible", "sha1_init"],
    ],
    [
      "a call through a register",
      short(
        "BUG: unable to handle page fault for address: ffffffff1234abcd",
        "Oops: 0010 [#1] SMP",
        CPU,
        "RIP: 0010:0xffffffff1234abcd",
        "RSP: 0018:ffffc900010c7c70 EFLAGS: 00010212",
        "RAX: ffffffff1234abcd RBX: ffff8801e2dd8310 RCX: ffffffff811acd8d",
        "Call Trace:",
        " ? do_op+0x6a/0x70",
      ),
      ["not-stack-related", null, "possible", "do_op"],
    ],
  ])("%s", (_what, text, expected) => {
    expect(verdictOf(text)).toEqual(expected);
  });

  it("never calls a verdict certain", () => {
    for (const name of ["deep-chain-6.12", "hardirq-recursion-6.12", "null-dereference-6.12"]) {
      expect(verdictOf(lab(name))[2]).not.toBe("certain");
    }
  });

  it("names the variable that KASAN's access passed", () => {
    const { verdict, corruption } = openText(
      short(
        "BUG: KASAN: stack-out-of-bounds in parse_tag+0x30/0x50 [vandal]",
        "Write of size 4 at addr ffff8801ca7c7960 by task sh/95",
        CPU,
        ...chain("kasan_report", "parse_tag", ...OUTER),
        " and is located at offset 50 in frame:",
        " parse_tag+0x0/0x50 [vandal]",
        "This frame has 2 objects:",
        " [32, 48) 'tag'",
        " [96, 104) 'length'",
      ),
      "log",
    ).diagnose();
    expect(verdict.summary).toContain("2 bytes past the end of 'tag' of parse_tag [vandal] (16 bytes)");
    expect(corruption).toMatchObject({ start: "0xffff8801ca7c7960", end: "0xffff8801ca7c7964", bytes: 4 });
  });

  it("asks the debug information where the culprit's code is", () => {
    const asked: unknown[] = [];
    const diagnosis = openText(lab("null-call-6.1"), "log").diagnose({
      resolve: (place) => {
        asked.push(place);
        const location = { file: "vandal.c", line: 42, column: null };
        return [{ function: place.function, inlined: false, location, declared: null }];
      },
    });
    expect(asked).toContainEqual({
      function: "close_session",
      module: "vandal",
      offset: 0x19,
      size: 0x30,
      afterCall: true,
    });
    expect(diagnosis.verdict.culprit).toMatchObject({ file: "vandal.c", line: 42 });
  });
});

describe("a text without a crash", () => {
  it.each(["", "hello\n", "Linux version 6.1.0\nrandom: crng init done\n"])("%j is an error of class usage", (text) => {
    let thrown: unknown;
    try {
      openText(text, "-");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SpillwayError);
    expect(thrown).toMatchObject({ code: "SPW_TEXT_NO_CRASH", class: "usage" });
    expect((thrown as SpillwayError).message).toContain("standard input");
  });
});
