import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { openTextInput } from "./text-input.ts";

const folder = mkdtempSync(join(tmpdir(), "spillway-text-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LOG = `[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000014
[    1.000001] Oops: 0000 [#1] SMP
[    1.000002] CPU: 1 PID: 95 Comm: sh Not tainted 6.1.0 #1
[    1.000003] RIP: 0010:peer_bytes+0x5/0x10
`;

function opened(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return openTextInput([path]);
}

describe("openTextInput", () => {
  test.each<[string, string | Uint8Array]>([
    ["plain.log", LOG],
    ["crlf.log", LOG.replaceAll("\n", "\r\n")],
    ["latin1.log", Buffer.concat([Buffer.from([0xe9, 0x0a]), Buffer.from(LOG)])],
    ["utf16.log", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(LOG, "utf16le")])],
    ["zeros.log", Buffer.concat([Buffer.alloc(300), Buffer.from(LOG)])],
    ["log.gz", gzipSync(LOG)],
    ["log.zst", zstdCompressSync(LOG)],
  ])("reads %s", (name, content) => {
    const text = opened(name, content);
    expect(text?.kind).toBe("log");
    expect(text?.kernel.release).toBe("6.1.0");
    expect(text?.diagnose().panic).toMatchObject({ pid: 95, comm: "sh" });
  });

  test("leaves dumps and what is no text to others", () => {
    expect(opened("vmcore", "KDUMP   \x06\0\0\0")).toBeNull();
    expect(opened("core", "\x7fELF\x02\x01\x01\0")).toBeNull();
    expect(
      opened(
        "noise",
        Uint8Array.from({ length: 4096 }, (_, index) => (index * 37) & 0x1f),
      ),
    ).toBeNull();
    expect(opened("empty", "")).toBeNull();
    expect(opened("packed-dump.gz", gzipSync("\x7fELF\x02\x01\x01\0".repeat(100)))).toBeNull();
    expect(openTextInput([folder])).toBeNull();
    expect(openTextInput([join(folder, "nowhere")])).toBeNull();
    expect(openTextInput(["a", "b"])).toBeNull();
  });

  test("says of a text without a crash that it has none", () => {
    expect(() => opened("quiet.log", "[    1.000000] random: crng init done\n")).toThrow(
      expect.objectContaining({ code: "SPW_TEXT_NO_CRASH", class: "usage" }),
    );
  });
});

/** The whole program, since nothing in a test can stand for its standard input. */
describe("diagnose -", () => {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const run = (input: string | Uint8Array) =>
    spawnSync(process.execPath, [main, "diagnose", "-", "--json"], { input, encoding: "utf8" });

  test.each<[string, string | Uint8Array]>([
    ["text", LOG],
    ["gzip", gzipSync(LOG)],
  ])("reads %s from standard input", (_what, input) => {
    const { status, stdout } = run(input);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ input: { kind: "log", format: "console", path: "-" } });
  });

  test.each([
    ["hello\n", 2, "SPW_TEXT_NO_CRASH: standard input: text without a kernel crash in it"],
    ["", 2, "SPW_TEXT_NO_CRASH"],
    ["KDUMP   \x06\0\0\0", 3, "SPW_INPUT_NOT_A_FILE"],
  ])("%j ends with %i", (input, code, message) => {
    const { status, stderr } = run(input);
    expect(status).toBe(code);
    expect(stderr).toContain(message);
  });
});
