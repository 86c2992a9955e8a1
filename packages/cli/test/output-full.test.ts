/** The command as a process of its own, where what it prints cannot be written. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");

test.skipIf(!existsSync("/dev/full"))("a full disk is told, and is no success", () => {
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "--help"], { stdio: ["ignore", full, "pipe"] });
  closeSync(full);
  expect(stderr.toString()).toMatch(/^spillway: SPW_OUTPUT_FAILED: standard output cannot be written: ENOSPC[^\n]*\n$/);
  expect(status).toBe(5);
});

test("a reader that goes away is no failure", async () => {
  const child = spawn(process.execPath, [MAIN, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, "close");
  expect([code, errors]).toEqual([0, ""]);
});
