import { describe, expect, it } from "vitest";
import { readEntries, readMarker } from "./trace-entry.ts";

const LIVE = { stale: false };

describe("readEntries", () => {
  it.each([
    ["vfs_write+0xc7/0x3f0", { function: "vfs_write", offset: 0xc7, size: 0x3f0 }, "x86 since 4.11"],
    ["? do_syscall_64+0x69/0x90", { function: "do_syscall_64", offset: 0x69, stale: true }, "not vouched for"],
    ["parse_tag+0x12/0x34 [vandal]", { function: "parse_tag", module: "vandal" }, "a module's"],
    ["f+0x12/0x34 [vandal 0123456789abcdef0123456789abcdef01234567]", { module: "vandal" }, "with build ID, 6.5"],
    ["f+0x12/0x34 [vandal(OE)]", { function: "f", module: "vandal" }, "with taint letters"],
    ["[<ffffffff8107b00b>] panic+0x12/0x34", { function: "panic", address: 0xffffffff8107b00bn }, "x86 to 4.10"],
    ["[<ffffffff8107b00b>] ? panic+0x12/0x34", { address: 0xffffffff8107b00bn, stale: true }, "the same, stale"],
    ["[<ffffffffa0123456>] :ext3:ext3_get+0x12/0x34", { function: "ext3_get", module: "ext3" }, "2.6.18"],
    ["<ffffffff8010c1a2>{system_call+126}", { function: "system_call", offset: 126 }, "x86_64 before 2.6.19"],
    ["<ffffffff8010c1a2>{:ext3:ext3_get+126}", { function: "ext3_get", module: "ext3" }, "the same, a module's"],
    [
      "[<c0103b1c>] (unwind_backtrace) from [<c0104567>] (show_stack+0x10/0x14)",
      { function: "show_stack", address: 0xc0104567n },
      "arm",
    ],
    ["unwind_backtrace from show_stack+0x10/0x14", { function: "show_stack", offset: 0x10 }, "arm since 5.19"],
    [
      "[c000000fe0d37a90] [c0000000000d8a5c] show_stack+0x1c/0x30 (unreliable)",
      { sp: 0xc000000fe0d37a90n, address: 0xc0000000000d8a5cn, stale: true },
      "powerpc",
    ],
    ["([<0000000000112a34>] show_stack+0x56/0x80)", { function: "show_stack", address: 0x112a34n }, "s390"],
    ["[<ffffffff80005a2c>] walk_stackframe+0x0/0xd2", { function: "walk_stackframe", offset: 0 }, "riscv"],
    [
      "sock_write+0x1/0x2 net/socket.c:912",
      { function: "sock_write", file: "net/socket.c", codeLine: 912 },
      "symbolized by syzkaller",
    ],
    [
      "sock_write net/socket.c:912 [inline]",
      { function: "sock_write", file: "net/socket.c", inlined: true },
      "inlined, by syzkaller",
    ],
    [
      "sock_write (net/socket.c:912 (discriminator 2)) mod",
      { function: "sock_write", codeLine: 912, module: "mod" },
      "decode_stacktrace.sh",
    ],
    ["0xffffffffc0401000", { function: null, address: 0xffffffffc0401000n }, "no symbol"],
    ["schedule.isra.0+0x12/0x34", { function: "schedule.isra.0" }, "a compiler's suffix"],
  ])("%s: %o (%s)", (text, expected, _what) => {
    expect(readEntries(text)).toMatchObject([{ ...LIVE, ...expected }]);
  });

  it("reads several of a line of 2.6", () => {
    const entries = readEntries("<ffffffff8010c1a2>{system_call+126} <ffffffff8012b001>{sys_write+80}");
    expect(entries.map((entry) => entry.function)).toEqual(["system_call", "sys_write"]);
  });

  it.each([
    ["audit: type=2000 audit(1795210729.524:1): state=initialized"],
    ["Code: 40 00 48 c7 c2 e0 ff ff"],
    ["Modules linked in: vandal(OE) qemu_fw_cfg"],
    ["f+0x12/0x34 is where it was called"],
    ["RSP: 0018:ffffcc07c041fec0 EFLAGS: 00000246"],
  ])("takes no entry from %j", (text) => {
    expect(readEntries(text)).toEqual([]);
  });
});

describe("readMarker", () => {
  it.each([
    ["<TASK>", { name: "TASK", ends: false }],
    ["</TASK>", { name: "TASK", ends: true }],
    ["<IRQ>", { name: "IRQ", ends: false }],
    ["<#DF>", { name: "#DF", ends: false }],
    ["<NMI>", { name: "NMI", ends: false }],
    ["<<EOE>>", { name: "EOE", ends: true }],
    ["<EOI>", { name: "EOI", ends: true }],
    ["<unknown>", null],
    ["vfs_write+0xc7/0x3f0", null],
  ])("%s: %o", (text, expected) => {
    expect(readMarker(text)).toEqual(expected);
  });
});
