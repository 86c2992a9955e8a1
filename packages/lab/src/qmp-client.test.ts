import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { QmpClient } from "./qmp-client.ts";

/** A QEMU that answers each command line with what `answer` makes of it. */
function fakeQemu(answer: (command: string) => string | null): { client: QmpClient; stream: Duplex } {
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split("\n")) {
        const reply = answer((JSON.parse(line) as { execute: string }).execute);
        if (reply === null) this.destroy();
        else this.push(reply);
      }
      done();
    },
  });
  stream.push('{"QMP": {"version": {}, "capabilities": []}}\r\n');
  return { client: new QmpClient(stream), stream };
}

describe("QmpClient", () => {
  test("matches answers to commands and passes over greeting and events", async () => {
    const { client } = fakeQemu((command) => `{"event": "STOP"}\r\n{"return": {"was": "${command}"}}\r\n`);
    await client.negotiate();
    const both = await Promise.all([client.execute("stop"), client.execute("query-status")]);
    expect(both).toEqual([{ was: "stop" }, { was: "query-status" }]);
  });

  test("hands on why QEMU refuses", async () => {
    const { client } = fakeQemu(
      () => '{"error": {"class": "GenericError", "desc": "kdump-lzo is not available now"}}\n',
    );
    await expect(client.execute("dump-guest-memory")).rejects.toMatchObject({
      code: "SPW_LAB_QMP",
      facts: { reason: "kdump-lzo is not available now" },
    });
  });

  test("remembers why the machine was shut down", async () => {
    const { client } = fakeQemu(
      () => '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"return": {}}\r\n',
    );
    expect(client.shutdown).toBe(null);
    await client.negotiate();
    expect(client.shutdown).toBe("guest-reset");
  });

  test("does not wait for a QEMU that is gone", async () => {
    const { client } = fakeQemu(() => null);
    await expect(client.execute("stop")).rejects.toMatchObject({ code: "SPW_LAB_QMP" });
    await expect(client.execute("cont")).rejects.toMatchObject({ code: "SPW_LAB_QMP" });
  });
});
