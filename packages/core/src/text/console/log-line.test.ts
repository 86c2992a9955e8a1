import { describe, expect, it } from "vitest";
import { readLine } from "./log-line.ts";

const OOPS = "BUG: kernel NULL pointer dereference, address: 0000000000000000";

describe("readLine", () => {
  it.each([
    [OOPS, null, null, "nothing before it"],
    [`[   12.345678] ${OOPS}`, 12.345678, null, "printk's time"],
    [`<1>[   12.345678] ${OOPS}`, 12.345678, null, "level and time"],
    [`[   12.345678][ T4711] ${OOPS}`, 12.345678, "T4711", "caller id: a task"],
    [`[   12.345678][    C0] ${OOPS}`, 12.345678, "C0", "caller id: a CPU"],
    [`[    C3] ${OOPS}`, null, "C3", "caller id without time"],
    [`Nov 21 00:00:01 db-17 kernel: [   12.345678] ${OOPS}`, 12.345678, null, "syslog"],
    [`Nov  1 00:00:01 db-17 kernel: ${OOPS}`, null, null, "syslog without printk's time, as the journal prints it"],
    [`2026-11-21T00:00:01.123456+01:00 db-17 kernel: [   12.345678] ${OOPS}`, 12.345678, null, "rsyslog, ISO date"],
    [`[2026-11-21 00:00:01] ${OOPS}`, null, null, "a logger of serial consoles"],
    [`[Sat Nov 21 00:00:01 2026] ${OOPS}`, null, null, "dmesg -T"],
    [`1,1234,12345678,-;${OOPS}`, 12.345678, null, "/dev/kmsg"],
    [`1,1234,12345678,-,caller=T42;${OOPS}`, 12.345678, "T42", "/dev/kmsg with the caller"],
    [`> > [   12.345678] ${OOPS}`, 12.345678, null, "quoted in a mail"],
    [`host-console-3 | [   12.345678] ${OOPS}`, 12.345678, null, "a terminal server's name"],
    [`\x1b[1;31m[   12.345678]\x1b[0m ${OOPS}\r`, 12.345678, null, "colours and CR"],
    [`\0\0\0[   12.345678] ${OOPS}`, 12.345678, null, "zeros of a crash"],
    [`[   12.345678@0] ${OOPS}`, 12.345678, null, "a vendor's CPU number in the time"],
  ])("%j: time %s, caller %s (%s)", (raw, time, caller, _what) => {
    expect(readLine(raw, 7)).toEqual([{ text: OOPS, time, caller, index: 7 }]);
  });

  it("tells two records on one line apart", () => {
    const lines = readLine("[    1.000000] RAX: 0000[    1.000001] BUG: soft lockup", 0);
    expect(lines.map((line) => line.text)).toEqual(["RAX: 0000", "BUG: soft lockup"]);
  });

  it("keeps what belongs to the message", () => {
    expect(readLine("[    1.0] x", 0)[0]!.text).toBe("x");
    expect(readLine("[<ffffffff8107b00b>] panic+0x1/0x2", 0)[0]!.text).toBe("[<ffffffff8107b00b>] panic+0x1/0x2");
    expect(readLine("<TASK>", 0)[0]!.text).toBe("<TASK>");
  });
});
