import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CpioEntry, cpioArchive } from "./cpio.ts";

interface Read {
  readonly path: string;
  readonly mode: string;
  readonly data: string;
}

/** Reads an archive the way the kernel's initramfs.c does: header, name, data, each padded to four bytes. */
function readArchive(archive: Buffer): Read[] {
  const found: Read[] = [];
  for (let at = 0; ; ) {
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const field = (index: number): number =>
      Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const path = archive.toString("utf8", at + 110, at + 110 + nameSize - 1);
    if (path === "TRAILER!!!") return found;
    const start = (at + 110 + nameSize + 3) & ~3;
    found.push({ path, mode: mode.toString(8), data: archive.toString("latin1", start, start + size) });
    at = (start + size + 3) & ~3;
  }
}

describe("cpioArchive", () => {
  test("holds folders, files and links with their modes", () => {
    const entries: CpioEntry[] = [
      { kind: "folder", path: "bin" },
      { kind: "file", path: "bin/tool", data: Buffer.from("12345"), executable: true },
      { kind: "file", path: "note", data: Buffer.from("") },
      { kind: "link", path: "bin/sh", target: "tool" },
    ];
    expect(readArchive(cpioArchive(entries))).toEqual([
      { path: "bin", mode: "40755", data: "" },
      { path: "bin/tool", mode: "100755", data: "12345" },
      { path: "note", mode: "100644", data: "" },
      { path: "bin/sh", mode: "120777", data: "tool" },
    ]);
  });

  test("is padded right whatever the lengths of names and data", () => {
    const name = fc.stringMatching(/^[a-z/é]{1,20}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 20 })), { maxLength: 8 }), (files) => {
        const entries = files.map(([path, data]) => ({ kind: "file", path, data }) as const);
        const expected = files.map(([path, data]) => ({
          path,
          mode: "100644",
          data: Buffer.from(data).toString("latin1"),
        }));
        expect(readArchive(cpioArchive(entries))).toEqual(expected);
      }),
    );
  });

  test("is what cpio itself reads, where it is installed", ({ skip }) => {
    const archive = cpioArchive([
      { kind: "folder", path: "etc" },
      { kind: "file", path: "etc/name", data: Buffer.from("lab\n") },
    ]);
    let listing: string;
    try {
      listing = execFileSync("cpio", ["-t", "--quiet"], { input: archive, encoding: "utf8" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return skip();
      throw error;
    }
    expect(listing).toBe("etc\netc/name\n");
  });
});
