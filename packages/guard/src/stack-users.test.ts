import { expect, test } from "vitest";
import { namesOfUsers, stackUse, stackUsers } from "./stack-users.ts";
import { fakeHost } from "./testing/fake-host.ts";

const SLEEPER = `[<0>] cascade_write+0x1c8/0x2a0 [cascade]
[<0>] __kernel_write+0x125/0x2b0
[<0>] spw_switch+0x2f/0x60 [spillway]
[<0>] cascade_write+0x10f/0x2a0 [cascade]
[<0>] spw_switch+0x2f/0x60 [spillway]
[<0>] ksys_write+0x6b/0xf0
`;

test.each([
  [SLEEPER, { levels: 2, waitsIn: "cascade_write" }],
  [
    "[<0>] schedule_timeout+0x1/0x2\n[<0>] io_wait+0x1/0x2\n[<0>] spw_switch+0x1/0x2 [spillway]\n",
    { levels: 1, waitsIn: "io_wait" },
  ],
  ["[<0>] do_wait+0x60/0x110\n[<0>] do_syscall_64+0x55/0xb0\n", null],
  ["", null],
])("a stack", (stack, use) => {
  expect(stackUse(stack)).toEqual(use);
});

test("tasks and threads on extra stacks", () => {
  const host = fakeHost({
    "/proc/1/task/1/stack": "[<0>] do_wait+0x60/0x110\n",
    "/proc/70/task/70/stack": SLEEPER,
    "/proc/70/task/70/comm": "flow\n",
    "/proc/70/task/71/stack": SLEEPER,
    "/proc/uptime": "1 1",
  });
  const users = stackUsers(host);
  expect(users.map(({ pid, name }) => [pid, name])).toEqual([
    [70, "flow"],
    [71, "?"],
  ]);
  expect(namesOfUsers(users)).toBe("flow[70] in cascade_write, ?[71] in cascade_write");
  expect(stackUsers(host, 1)).toHaveLength(1);
});
