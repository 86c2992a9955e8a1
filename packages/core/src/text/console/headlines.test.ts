import { describe, expect, it } from "vitest";
import { isConsequence, readHeadline } from "./headlines.ts";

describe("readHeadline", () => {
  it.each([
    [
      "BUG: TASK stack guard page was hit at 0000000086119a04 (stack is 000000006cbc6779..000000005d62d829)",
      { kind: "guard-page", detail: "TASK", address: null },
      "hashed",
    ],
    [
      "BUG: stack guard page was hit at ffffc900190cfff8 (stack is ffffc900190d0000..ffffc900190d7fff)",
      { kind: "guard-page", address: 0xffffc900190cfff8n },
      "4.9",
    ],
    ["kernel stack overflow (double-fault): 0000 [#1] SMP", { kind: "stack-overflow" }, "x86, 4.9"],
    ["Insufficient stack space to handle exception!", { kind: "stack-overflow" }, "arm64, riscv"],
    ["Kernel stack overflow in process c0000000fe5a2b00, r1=c0000000fe5a7e80", { kind: "stack-overflow" }, "powerpc"],
    ["PANIC: double fault, error_code: 0x0", { kind: "double-fault" }, "x86"],
    ["traps: PANIC: double fault, error_code: 0x0", { kind: "double-fault" }, "with the subsystem"],
    ["double fault: 0000 [#1] SMP", { kind: "double-fault" }, "2.6"],
    [
      "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: parse_value+0xcb/0xd0 [vandal]",
      { kind: "stack-protector", at: { function: "parse_value", module: "vandal" } },
      "%pB",
    ],
    [
      "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: ffffffff810aa8da",
      { kind: "stack-protector", at: { function: null, address: 0xffffffff810aa8dan } },
      "%p, to 4.10",
    ],
    ["Kernel panic - not syncing: corrupted stack end detected inside scheduler", { kind: "stack-end" }, "scheduler"],
    ["Thread overran stack, or stack corrupted", { kind: "stack-end-at-fault" }, "at a fault"],
    [
      "do_IRQ: sshd near stack overflow (cur:ffff8801d7e44000,sp:ffff8801d7e440f0)",
      { kind: "stack-low" },
      "x86_64, 3.x",
    ],
    [
      "BUG: KASAN: stack-out-of-bounds in xfrm_state_find+0x30fc/0x3230",
      { kind: "kasan", detail: "stack-out-of-bounds", at: { function: "xfrm_state_find" } },
      "KASAN",
    ],
    [
      "BUG: kernel NULL pointer dereference, address: 0000000000000014",
      { kind: "page-fault", address: 0x14n },
      "x86, 5.2",
    ],
    [
      "BUG: unable to handle page fault for address: ffffffff803e7c5d",
      { kind: "page-fault", address: 0xffffffff803e7c5dn },
      "x86, 5.2",
    ],
    [
      "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008",
      { kind: "page-fault", address: 8n },
      "x86, 2.6.26",
    ],
    [
      "Unable to handle kernel paging request at ffffffff803e7c5d RIP:",
      { kind: "page-fault", address: 0xffffffff803e7c5dn },
      "x86_64, 2.6",
    ],
    [
      "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018",
      { kind: "page-fault", address: 0x18n },
      "arm64",
    ],
    [
      "general protection fault, probably for non-canonical address 0xdffffc0000000000: 0000 [#1] SMP",
      { kind: "general-protection" },
      "5.6",
    ],
    ["kernel BUG at lib/list_debug.c:62!", { kind: "bug" }, "BUG()"],
    ["list_del corruption. prev->next should be ffffffffc04cacc8, but was ffffffffc04caca8.", { kind: "bug" }, "list"],
    [
      "WARNING: CPU: 1 PID: 5643 at drivers/usb/core/urb.c:477 usb_submit_urb+0x1188/0x13b0",
      { kind: "warning", at: { function: "usb_submit_urb" } },
      "WARN()",
    ],
    [
      "WARNING: kernel stack regs at ffff8801d100fea8 in syz:16059 has bad 'bp' value ffff8801d100ff28",
      { kind: "unwinder" },
      "unwinder",
    ],
    ["watchdog: BUG: soft lockup - CPU#1 stuck for 134s! [syz-executor:123]", { kind: "lockup" }, "watchdog"],
    ["rcu: INFO: rcu_preempt self-detected stall on CPU", { kind: "lockup" }, "RCU"],
    ["Internal error: Oops: 96000006 [#1] PREEMPT SMP", { kind: "page-fault" }, "arm64"],
    ["Oops: Kernel access of bad area, sig: 11 [#1]", { kind: "page-fault" }, "powerpc"],
    ["divide error: 0000 [#1] SMP", { kind: "exception", detail: "divide error" }, "any exception"],
    ["Kernel panic - not syncing: Attempted to kill init!", { kind: "panic" }, "panic"],
  ])("%s: %o (%s)", (text, expected, _what) => {
    expect(readHeadline(text, 3)).toMatchObject({ text, line: 3, ...expected });
  });

  it.each([
    ["Find, prove and survive Linux kernel stack overflow."],
    ["traps: syz-executor229[3615] general protection fault ip:7feb96eb56a1 sp:20000fd0 error:0"],
    ["EXT4-fs error (device sda1): ext4_lookup:1612"],
    ["The usual way out of BUG: unable to handle kernel paging request at 0 is a patch, as we all know"],
  ])("takes no headline from %j", (text) => {
    if (text.startsWith("The usual"))
      expect(readHeadline(`In a sentence of more than some fifty letters: ${text}`, 0)).toBeNull();
    else expect(readHeadline(text, 0)).toBeNull();
  });
});

describe("isConsequence", () => {
  it.each([
    ["Fatal exception in interrupt", true],
    ["Machine halted.", true],
    ["panic_on_warn set ...", true],
    ["kernel: panic_on_warn set ...", true],
    ["Attempted to kill init! exitcode=0x0000000b", true],
    ["stack-protector: Kernel stack is corrupted in: f+0x1/0x2", false],
    ["corrupted stack end detected inside scheduler", false],
    ["VFS: Unable to mount root fs on unknown-block(0,0)", false],
  ])("%s: %s", (message, expected) => {
    expect(isConsequence(message)).toBe(expected);
  });
});
