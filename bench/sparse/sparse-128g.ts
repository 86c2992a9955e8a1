/**
 * What opening costs on a small dump and on one of a 128 GiB machine. The large files are sparse: all headers, bitmaps and
 * descriptors are as a full dump of 32 million pages has them, but the pages are holes (ELF) or share one (kdump), so that
 * the files take little room on disk.
 *
 *   node bench/sparse/sparse-128g.ts [DIRECTORY]
 *
 * Each row is measured in a process of its own. The file system has to know holes; 1 GiB of room is enough.
 */

import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

const PAGE = 4096;
const GIB = 2 ** 30;
const SIZES = [
  { name: "256 MiB", bytes: GIB / 4 },
  { name: "128 GiB", bytes: 128 * GIB },
];

if (process.argv[2] === "--measure") {
  await measure(process.argv[3]!, Number(process.argv[4]));
} else {
  main(process.argv[2]);
}

function main(parent: string | undefined): void {
  const directory = mkdtempSync(join(parent ?? tmpdir(), "spillway-sparse-"));
  try {
    console.log(row("dump", "file size", "open ms", "first page ms", "last page ms", "problems ms", "RSS MiB"));
    for (const [format, make] of [
      ["elf", makeSparseElf],
      ["kdump", makeSparseKdump],
    ] as const) {
      for (const size of SIZES) {
        const path = join(directory, `${format}-${size.bytes / GIB}`);
        make(path, size.bytes);
        const child = spawnSync(process.execPath, [import.meta.filename, "--measure", path, `${size.bytes / PAGE}`]);
        if (child.status !== 0) throw new Error(child.stderr.toString());
        const m = JSON.parse(child.stdout.toString());
        const gib = (statSync(path).size / GIB).toFixed(2);
        const times = [m.open, m.first, m.last, m.problems].map((ms: number) => ms.toFixed(1));
        console.log(row(`${format}, ${size.name}`, `${gib} GiB`, ...times, (m.rss / 2 ** 20).toFixed(0)));
        rmSync(path);
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function row(...cells: string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(14))).join("");
}

async function measure(path: string, pages: number): Promise<void> {
  const { openDump } = await import("../../packages/core/src/image/open-dump.ts");
  const { FileSource } = await import("../../packages/cli/src/io/file-source.ts");
  const times: Record<string, number> = {};
  const timed = <T>(name: string, act: () => T): T => {
    const start = performance.now();
    const result = act();
    times[name] = performance.now() - start;
    return result;
  };
  const image = timed("open", () => openDump([new FileSource(path)]));
  const present = (pfn: number) => {
    const page = image.memory.page(pfn);
    if (page === null || image.memory.pageState(pfn) !== "present") throw new Error(`page ${pfn} was not read`);
  };
  timed("first", () => present(100));
  timed("last", () => present(pages - 1));
  const problems = timed("problems", () => image.problems);
  if (problems.length > 0) throw new Error(problems[0]!.message);
  console.log(JSON.stringify({ ...times, rss: process.memoryUsage().rss }));
}

/** One PT_LOAD segment that is one hole. */
function makeSparseElf(path: string, memory: number): void {
  const fd = openSync(path, "w");
  const head = new DataView(new ArrayBuffer(PAGE));
  new Uint8Array(head.buffer).set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.setUint16(16, 4, true);
  head.setUint16(18, 62, true);
  head.setBigUint64(32, 64n, true);
  head.setUint16(54, 56, true);
  head.setUint16(56, 1, true);
  head.setUint32(64, 1, true);
  head.setBigUint64(72, BigInt(PAGE), true);
  head.setBigUint64(96, BigInt(memory), true);
  head.setBigUint64(104, BigInt(memory), true);
  writeSync(fd, head);
  ftruncateSync(fd, PAGE + memory);
  closeSync(fd);
}

/** Both bitmaps full, every descriptor pointing to the same compressed page. */
function makeSparseKdump(path: string, memory: number): void {
  const pages = memory / PAGE;
  const bitmapBlocks = Math.ceil(pages / 8 / PAGE);
  const descriptorsAt = 2 * PAGE + 2 * bitmapBlocks * PAGE;
  const dataAt = descriptorsAt + pages * 24;
  const fd = openSync(path, "w");
  const head = new DataView(new ArrayBuffer(2 * PAGE));
  new Uint8Array(head.buffer).set(new TextEncoder().encode("KDUMP   "));
  head.setInt32(8, 6, true);
  head.setInt32(428, PAGE, true);
  head.setInt32(432, 1, true);
  head.setUint32(436, 2 * bitmapBlocks, true);
  head.setBigUint64(PAGE + 96, BigInt(pages), true);
  writeSync(fd, head, 0, head.byteLength, 0);
  const ones = new Uint8Array(2 * bitmapBlocks * PAGE).fill(0xff);
  writeSync(fd, ones, 0, ones.length, 2 * PAGE);

  const page = deflateSync(Uint8Array.from({ length: PAGE }, (_, i) => i & 0x3f));
  const chunk = new DataView(new ArrayBuffer(24 * 65536));
  for (let i = 0; i < 65536; i++) {
    chunk.setBigUint64(i * 24, BigInt(dataAt), true);
    chunk.setUint32(i * 24 + 8, page.length, true);
    chunk.setUint32(i * 24 + 12, 1, true);
  }
  for (let i = 0; i < pages; i += 65536) {
    // Only the first and last descriptors are ever read; the rest may stay a hole.
    if (i > 0 && i + 65536 < pages) continue;
    writeSync(fd, chunk, 0, Math.min(65536, pages - i) * 24, descriptorsAt + i * 24);
  }
  writeSync(fd, page, 0, page.length, dataAt);
  closeSync(fd);
}
