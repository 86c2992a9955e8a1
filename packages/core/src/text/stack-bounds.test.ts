import { describe, expect, it } from "vitest";
import { printedAt, stackKindOf, stackSize } from "./stack-bounds.ts";

describe("stackSize", () => {
  it.each([
    ["task", "2.6.32-431.el6.x86_64", false, 8192n],
    ["task", "3.10.0-862.14.2.el7.x86_64", false, 16384n],
    ["task", "3.14.1", false, 8192n],
    ["task", "3.15.0", false, 16384n],
    ["task", "6.12.117+deb12-cloud-amd64", true, 32768n],
    ["hardirq", "6.1.0", false, 16384n],
    ["exception", "5.13.0", false, 4096n],
    ["exception", "5.14.0", false, 8192n],
    ["task", null, false, null],
  ] as const)("%s of %s, KASAN %s: %s", (kind, release, kasan, expected) => {
    expect(stackSize(kind, release, kasan)).toBe(expected);
  });
});

describe("stackKindOf", () => {
  it.each([
    [null, { kind: "task", name: "" }],
    ["TASK", { kind: "task", name: "" }],
    ["IRQ", { kind: "hardirq", name: "" }],
    ["SOFTIRQ", { kind: "softirq", name: "" }],
    ["NMI", { kind: "exception", name: "NMI" }],
    ["#DF", { kind: "exception", name: "DF" }],
    ["ENTRY_TRAMPOLINE", { kind: "entry", name: "" }],
  ])("%s: %o", (name, expected) => {
    expect(stackKindOf(name)).toEqual(expected);
  });
});

describe("printedAt", () => {
  const stacks = [
    { name: "task", low: 0x10000n, high: 0x14000n },
    { name: "irq", low: 0x20000n, high: 0x24000n },
  ];
  it.each([
    [0x13fffn, "task", false],
    [0x0ffd0n, "task", true],
    [0x20000n, "irq", false],
    [0x1fff8n, "irq", true],
  ])("%s: %s, below %s", (sp, name, below) => {
    expect(printedAt(stacks, sp)).toMatchObject({ stack: { name }, below });
  });

  it("knows of none elsewhere", () => {
    expect(printedAt(stacks, 0x1000n)).toBeNull();
    expect(printedAt(stacks, 0x16000n)).toBeNull();
  });
});
