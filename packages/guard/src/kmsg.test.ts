import { expect, test } from "vitest";
import { parseKmsg, troubleIn } from "./kmsg.ts";

test.each([
  ["6,339,5140900,-;NET: Registered PF_INET6\n", { level: 6, sequence: 339, text: "NET: Registered PF_INET6" }],
  ["3,1024,99,-,caller=T1;spillway: no\n SUBSYSTEM=x\n", { level: 3, sequence: 1024, text: "spillway: no" }],
  ["30,7,1,c;a;b", { level: 6, sequence: 7, text: "a;b" }],
  ["nonsense", null],
])("%j", (record, parsed) => {
  expect(parseKmsg(record)).toEqual(parsed);
});

test("trouble is what the module warns of, and what the kernel says of modules that it refuses", () => {
  const lines: [number, string][] = [
    [6, "spillway: 4 extra stacks of 16384 bytes"],
    [4, "spillway: self-test: no direct hooks on this kernel: -16"],
    [3, "spillway: nonsense cannot be hooked: -22"],
    [3, "spillway: version magic '6.1' should be '6.12'"],
    [5, "Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7"],
    [3, "usb 1-1: device not accepting address"],
  ];
  expect(troubleIn(lines.map(([level, text], sequence) => ({ level, sequence, text })))).toEqual([
    "self-test: no direct hooks on this kernel: -16",
    "nonsense cannot be hooked: -22",
    "version magic '6.1' should be '6.12'",
    "Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7",
  ]);
});
