import { expect, test } from "vitest";
import { describeEnd } from "./qemu-machine.ts";

test.each([
  [{ code: 0, signal: null, shutdown: "guest-reset" }, "the guest reset itself or hit a triple fault"],
  [{ code: 0, signal: null, shutdown: "guest-shutdown" }, "the guest switched itself off"],
  [{ code: 0, signal: null, shutdown: null }, "the virtual machine stopped (no reason given)"],
  [{ code: null, signal: "SIGKILL", shutdown: null }, "QEMU was killed (SIGKILL)"],
  [{ code: 1, signal: null, complaint: "no such file" }, "QEMU stopped (exit code 1: no such file)"],
  [{ failure: "spawn setpriv ENOENT" }, "QEMU did not start (spawn setpriv ENOENT)"],
])("%j ends as %s", (end, said) => {
  expect(describeEnd(end)).toBe(said);
});
