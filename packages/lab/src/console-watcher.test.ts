import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { ConsoleWatcher } from "./console-watcher.ts";

function watch(): { stream: PassThrough; watcher: ConsoleWatcher } {
  const stream = new PassThrough();
  return { stream, watcher: new ConsoleWatcher(stream) };
}

describe("ConsoleWatcher", () => {
  test("finds a line that comes in pieces", async () => {
    const { stream, watcher } = watch();
    const found = watcher.waitFor("mark", [/dump written: (\d+) bytes/], 5_000);
    stream.write("noise\r\ndump writ");
    stream.write("ten: 42 bytes\r\n");
    expect((await found)[1]).toBe("42");
  });

  test("finds what was printed before anybody waited, once", async () => {
    const { stream, watcher } = watch();
    stream.end("ready\nready\n");
    await watcher.waitFor("first", [/ready/], 5_000);
    await watcher.waitFor("second", [/ready/], 5_000);
    watcher.close("the virtual machine stopped");
    await expect(watcher.waitFor("third", [/ready/], 5_000)).rejects.toMatchObject({ code: "SPW_LAB_GUEST_ENDED" });
  });

  test("takes the pattern that matches earliest", async () => {
    const { stream, watcher } = watch();
    stream.end("survived\nend Kernel panic\n");
    expect((await watcher.waitFor("end", [/end Kernel panic/, /survived/], 5_000))[0]).toBe("survived");
  });

  test("gives up at the deadline and shows the end of the console", async () => {
    const { stream, watcher } = watch();
    stream.write("one\r\ntwo\r\n");
    const error = await watcher.waitFor("kernel panic", [/never/], 50).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "SPW_LAB_TIMEOUT", class: "environment", facts: { console: ["one", "two"] } });
    expect((error as Error).message).toContain("kernel panic");
  });

  test("says why nothing more can come", async () => {
    const { watcher } = watch();
    const waiting = watcher.waitFor("booted guest", [/never/], 5_000);
    watcher.close("QEMU stopped (no such file)");
    await expect(waiting).rejects.toThrow("QEMU stopped (no such file) before there was a booted guest");
  });
});
