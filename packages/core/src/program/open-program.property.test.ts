import fc from "fast-check";
import { gzipSync } from "fflate";
import { expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { ByteWriter } from "../debuginfo/testing/byte-writer.ts";
import { SpillwayError } from "../errors.ts";
import { openProgram } from "./open-program.ts";
import { makeBootImage, makeKernelImage, relocationTable } from "./testing/make-kernel-image.ts";

const TEXT = 0xffffffff81000000n;
const kernel = makeKernelImage({
  segments: [
    { address: TEXT, bytes: Uint8Array.from({ length: 900 }, (_, i) => (i * 31) & 0xff), size: 0x2000 },
    { address: 0n, bytes: new Uint8Array(64), physical: 0x1800000n },
  ],
});
const table = relocationTable([TEXT], [TEXT + 8n], [TEXT + 16n]);
const inputs = {
  vmlinux: kernel,
  packed: gzipSync(kernel),
  vmlinuz: makeBootImage({ payload: gzipSync(new ByteWriter().append(kernel).append(table).bytes) }),
  plain: makeBootImage({ payload: new ByteWriter().append(kernel).append(table).bytes }),
};

/** All that a program tells without knowing any name. */
function askEverything(bytes: Uint8Array): void {
  const program = openProgram([new MemorySource(bytes, "damaged")]);
  for (const area of [...program.text, ...program.data]) program.memory.readSparse(area.start, 64);
  program.memory.read(TEXT, 4096);
  expect(program.relocations?.count ?? 0).toBeLessThanOrEqual(bytes.length);
  expect(program.alternatives).toEqual([]);
  expect([program.release, program.orc, program.symbols.byName("vfs_write")]).toEqual([null, null, null]);
  expect(program.problems.length).toBeGreaterThan(0);
}

const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255));

test.each(Object.entries(inputs))("a damaged %s is read as far as it goes, or refused in words", (_kind, good) => {
  askEverything(good);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.double({ min: 0, max: 1, noNaN: true }), (changes, cut) => {
      const damaged = good.slice();
      // Headers are where damage tells; half of it goes there.
      changes.forEach(([where, byte], i) => {
        damaged[Math.floor(where * (i % 2 === 0 ? Math.min(1024, good.length) : good.length))] = byte;
      });
      const whole = cut > 0.3;
      try {
        askEverything(whole ? damaged : damaged.subarray(0, Math.floor(good.length * cut * 3)));
      } catch (error) {
        if (!(error instanceof SpillwayError)) throw error;
        expect(error.code).toMatch(/^SPW_(PROGRAM|IMAGE|KERNEL|DEBUGINFO)_/);
      }
    }),
    { numRuns: 200 },
  );
});
