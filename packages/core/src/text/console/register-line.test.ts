import { describe, expect, it } from "vitest";
import { archOf, readRegisterLine } from "./register-line.ts";

describe("readRegisterLine", () => {
  it.each([
    [
      "RIP: 0010:disk_queue+0x37/0xa0 [vandal]",
      { pc: { function: "disk_queue", module: "vandal", offset: 0x37 }, userMode: false },
      [],
    ],
    ["RIP: 0010:0x0", { pc: { function: null, address: 0n }, userMode: false }, []],
    ["RIP: 0033:0x47b7a0", { pc: { address: 0x47b7a0n }, userMode: true }, []],
    ["RIP: e030:xen_hypercall+0x12/0x20", { pc: { function: "xen_hypercall" }, userMode: false }, []],
    [
      "RIP: 0010:[<ffffffff8107b00b>]  [<ffffffff8107b00b>] panic+0x12/0x34",
      { pc: { function: "panic", address: 0xffffffff8107b00bn } },
      [],
    ],
    ["EIP is at do_list+0x12/0x34", { pc: { function: "do_list" } }, []],
    [
      "EIP: 0060:[<c0123456>] EFLAGS: 00010246 CPU: 0",
      { pc: { address: 0xc0123456n }, userMode: false },
      [["eflags", 0x10246n]],
    ],
    [
      "RSP: 0018:ffffcc07c041fec0 EFLAGS: 00000246",
      {},
      [
        ["rsp", 0xffffcc07c041fec0n],
        ["eflags", 0x246n],
      ],
    ],
    [
      "RAX: 0000000000000001 RBX: ffffcc07c0423c70 RCX: 0000000000000054",
      {},
      [
        ["rax", 1n],
        ["rbx", 0xffffcc07c0423c70n],
        ["rcx", 0x54n],
      ],
    ],
    [
      "CR2: ffffcc07c041feb8 CR3: 000000000212a000 CR4: 0000000000750ef0",
      {},
      [
        ["cr2", 0xffffcc07c041feb8n],
        ["cr3", 0x212a000n],
        ["cr4", 0x750ef0n],
      ],
    ],
    [
      "eax: 00000001 ebx: c0123456",
      {},
      [
        ["eax", 1n],
        ["ebx", 0xc0123456n],
      ],
    ],
    ["pc : mark_lock+0x4/0x1b4", { pc: { function: "mark_lock", offset: 4 } }, []],
    ["sp : ffff800015fdffd0", {}, [["sp", 0xffff800015fdffd0n]]],
    [
      "x29: ffff800015fe00b0 x28: 0000000000000002",
      {},
      [
        ["x29", 0xffff800015fe00b0n],
        ["x28", 2n],
      ],
    ],
    ["FAR: 0xffff800015fdffa0", {}, [["fault", 0xffff800015fdffa0n]]],
    ["PC is at do_list+0x12/0x34", { pc: { function: "do_list" } }, []],
    ["NIP [c0000000000d8a5c] do_list+0x12/0x34", { pc: { function: "do_list" } }, []],
    [
      "GPR00: c0000000000d8a5c c000000fe0d37a90",
      {},
      [
        ["r0", 0xc0000000000d8a5cn],
        ["r1", 0xc000000fe0d37a90n],
      ],
    ],
    ["epc : do_list+0x12/0x34", { pc: { function: "do_list" } }, []],
    ["Krnl PSW : 0704c00180000000 00000000001142fe (do_list+0x12/0x34)", { pc: { function: "do_list" } }, []],
  ])("%s: %o, values %o", (text, expected, values) => {
    const read = readRegisterLine(text);
    expect(read).toMatchObject(expected);
    expect(read!.values).toEqual(values);
  });

  it.each([
    ["Call Trace:"],
    ["Code: 40 00 48 c7 c2 e0 ff ff"],
    ["Modules linked in: vandal(OE)"],
    ["random: crng init done"],
  ])("takes nothing from %s", (text) => {
    expect(readRegisterLine(text)).toBeNull();
  });
});

describe("archOf", () => {
  it.each([
    [["rax", "rsp"], "x86_64"],
    [["eax", "esp"], "i686"],
    [["x0", "x29"], "aarch64"],
    [["ra", "sp"], "riscv64"],
    [["r0", "r31"], "ppc64le"],
    [["lr", "sp"], "arm"],
    [["r0", "r15"], "s390x"],
    [[], null],
  ])("%o: %s", (names, expected) => {
    expect(archOf(new Map(names.map((name) => [name, 1n])))).toBe(expected);
  });
});
