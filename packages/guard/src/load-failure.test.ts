import { expect, test } from "vitest";
import { type LoadFailure, loadError } from "./load-failure.ts";

const failed = (some: Partial<LoadFailure>) =>
  loadError({ errno: null, output: "", log: [], root: true, release: "6.1.0", ftraceOff: false, ...some });

test.each<[Partial<LoadFailure>, string, string]>([
  [{ errno: "EPERM", root: false }, "SPW_GUARD_PERMISSION", "only root may load modules"],
  [{ errno: "EPERM" }, "SPW_GUARD_LOAD_FAILED", "the kernel lets nobody here load modules"],
  [
    { errno: "EPERM", log: ["Lockdown: insmod: unsigned module loading is restricted"] },
    "SPW_GUARD_LOAD_FAILED",
    "the kernel takes signed modules only, and this one is not, or with an unknown key",
  ],
  [{ errno: "EKEYREJECTED", log: null }, "SPW_GUARD_LOAD_FAILED", "the kernel takes modules only that are signed"],
  [
    { errno: "ENOEXEC", log: ["version magic '6.12' should be '6.1'"] },
    "SPW_GUARD_LOAD_FAILED",
    "the module was built for another kernel: version magic '6.12' should be '6.1'",
  ],
  [
    { errno: "ENOTSUPP", log: ["self-test: no direct hooks on this kernel: -16"] },
    "SPW_GUARD_LOAD_FAILED",
    "functions cannot be hooked: all hooks are taken",
  ],
  [
    { errno: "EBUSY", log: ["do_exit cannot be hooked: -16 (a livepatch is there)"], ftraceOff: true },
    "SPW_GUARD_LOAD_FAILED",
    "functions cannot be hooked: ftrace is switched off",
  ],
  [
    { errno: "ENOTSUPP", log: ["self-test with direct hooks: the unwinder does not cross the switch"] },
    "SPW_GUARD_LOAD_FAILED",
    "the module found by its self-test that it cannot work on this kernel: self-test with direct hooks: the unwinder",
  ],
  [
    { errno: "EINVAL", log: ["vfs_wri cannot be hooked: -22 (no such function)"] },
    "SPW_GUARD_LOAD_FAILED",
    "vfs_wri cannot be hooked: -22 (no such function)",
  ],
  [
    { errno: "EINVAL", log: ["a threshold is at most 12288 bytes"] },
    "SPW_GUARD_LOAD_FAILED",
    "the module refuses: a threshold is at most 12288 bytes",
  ],
  [
    { errno: "ENOMEM", log: ["no memory for the pool: -12"] },
    "SPW_GUARD_LOAD_FAILED",
    "there is too little memory: no m",
  ],
  [{ output: "insmod: what?\n" }, "SPW_GUARD_LOAD_FAILED", "the module could not be loaded: insmod: what?"],
  [{ log: null }, "SPW_GUARD_LOAD_FAILED", "the module could not be loaded: no reason was given"],
])("%j", (failure, code, message) => {
  const error = failed(failure);
  expect(error.code).toBe(code);
  expect(error.message).toContain(message);
  expect(error.hint).not.toBeNull();
});
