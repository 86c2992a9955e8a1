import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fillOnce } from "./cache.ts";

describe("fillOnce", () => {
  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "spillway-cache-test-"));
  });
  afterEach(() => rm(base, { recursive: true }));

  const put =
    (text: string) =>
    async (empty: string): Promise<void> =>
      writeFile(join(empty, "file"), text);

  test("fills a folder the first time only", async () => {
    await fillOnce(join(base, "a/b"), put("one"));
    await fillOnce(join(base, "a/b"), put("two"));
    expect(await readFile(join(base, "a/b/file"), "utf8")).toBe("one");
  });

  test("leaves nothing behind when filling fails", async () => {
    const failing = async (empty: string): Promise<void> => {
      await put("half")(empty);
      throw new Error("no network");
    };
    await expect(fillOnce(join(base, "c"), failing)).rejects.toThrow("no network");
    expect(await readdir(base)).toEqual([]);
  });

  test("two at the same time do not disturb each other", async () => {
    await Promise.all([fillOnce(join(base, "d"), put("one")), fillOnce(join(base, "d"), put("two"))]);
    expect(await readdir(base)).toEqual(["d"]);
    expect(await readFile(join(base, "d/file"), "utf8")).toMatch(/one|two/);
  });
});
