import { expect, it } from "vitest";
import { readProcessLine } from "./process-line.ts";

it.each([
  [
    "CPU: 1 PID: 95 Comm: sh Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2",
    { cpu: 1, pid: 95, comm: "sh", release: "6.1.0-56-cloud-amd64", taints: "G           OE" },
  ],
  [
    "CPU: 1 UID: 0 PID: 148 Comm: sh Tainted: G           OE      6.12.117+deb12-cloud-amd64 #1",
    { cpu: 1, pid: 148, release: "6.12.117+deb12-cloud-amd64" },
  ],
  [
    "CPU: 0 PID: 9 Comm: ksoftirqd/0 Not tainted 4.20.0+ #5",
    { pid: 9, comm: "ksoftirqd/0", release: "4.20.0+", taints: "" },
  ],
  ["CPU: 0 UID: 0 PID: 9 Comm: a b Kdump: loaded Tainted: G        W  6.12.1 #1", { comm: "a b", release: "6.12.1" }],
  [
    "Pid: 1234, comm: httpd Not tainted 2.6.32-431.el6.x86_64 #1 Dell Inc.",
    { cpu: null, pid: 1234, comm: "httpd", release: "2.6.32-431.el6.x86_64" },
  ],
  ["Process httpd (pid: 1234, threadinfo ffff8801d7e44000, task ffff8801d7e40000)", { pid: 1234, comm: "httpd" }],
  ["CPU 3 ", { cpu: 3, pid: null }],
  ["WARNING: CPU: 2 PID: 77 at fs/file.c:12 f+0x1/0x2", { cpu: 2, pid: 77 }],
])("%s: %o", (text, expected) => {
  expect(readProcessLine(text)).toMatchObject(expected);
});

it.each([["Code: 40 00"], ["CR2: 0000000000000000"], ["Process accounting resumed"]])(
  "takes nothing from %s",
  (text) => {
    expect(readProcessLine(text)).toBeNull();
  },
);
