import { expect, test } from "vitest";
import { errnoIn } from "./errno.ts";

test.each([
  // kmod
  ["insmod: ERROR: could not insert module spillway.ko: Operation not permitted\n", "EPERM"],
  ["insmod: ERROR: could not insert module spillway.ko: Invalid module format\n", "ENOEXEC"],
  ["modprobe: ERROR: could not insert 'spillway': Key was rejected by service\n", "EKEYREJECTED"],
  [
    "modprobe: ERROR: could not insert 'spillway': Unknown symbol in module, or unknown parameter (see dmesg)",
    "ENOENT",
  ],
  ["modprobe: ERROR: could not insert 'spillway': Unknown error 524", "ENOTSUPP"],
  ["modprobe: ERROR: could not insert 'spillway': Operation not supported", "EOPNOTSUPP"],
  ["rmmod: ERROR: Module spillway is in use", "EBUSY"],
  ["rmmod: ERROR: could not remove module spillway: Resource temporarily unavailable", "EBUSY"],
  ["rmmod: ERROR: Module spillway is not currently loaded", "NOTLOADED"],
  // busybox
  ["insmod: can't insert '/spillway.ko': invalid parameters", "EINVAL"],
  ["insmod: can't insert '/spillway.ko': File exists", "EEXIST"],
  ["rmmod: can't unload module 'spillway': Resource temporarily unavailable", "EBUSY"],
  ["something else", null],
  ["", null],
])("%j is %s", (message, errno) => {
  expect(errnoIn(message)).toBe(errno);
});
