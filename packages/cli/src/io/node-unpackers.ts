/** How packed kernels and modules are unpacked in Node: its own zlib and zstd, and programs for what Node has not. */
import { spawnSync } from "node:child_process";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { portableUnpackers, SpillwayError, type Unpacker, type Unpackers } from "@spillway/core";

/** By packing: the program, and the Debian package that has it. Each is part of the base of every distribution, nearly. */
const PROGRAMS = {
  xz: { command: ["xz", "-dc", "--single-stream"], package: "xz-utils" },
  lzma: { command: ["xz", "-dc", "--format=lzma"], package: "xz-utils" },
  bzip2: { command: ["bzip2", "-dc"], package: "bzip2" },
} as const;

/** Node has no xz, LZMA and bzip2, and no maintained library reads them synchronously. */
function byProgram(packing: keyof typeof PROGRAMS): Unpacker {
  const { command, package: source } = PROGRAMS[packing];
  const [program, ...options] = command;
  return (packed, most) => {
    const { error, status, stdout } = spawnSync(program, options, {
      input: packed,
      maxBuffer: most,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (code === "ENOENT") {
      throw new SpillwayError(
        "SPW_PROGRAM_UNPACKER_MISSING",
        `packed with ${packing}, and there is no program ${program}`,
        {
          class: "environment",
          facts: { packing, program },
          hint: `Install ${source}, or unpack it elsewhere.`,
        },
      );
    }
    if (code === "ENOBUFS") throw new Error(`${packing}: it holds more than ${most} bytes`);
    if (error !== undefined || status !== 0) throw new Error(`${program} failed`, { cause: error });
    return stdout;
  };
}

export const nodeUnpackers: Unpackers = {
  ...portableUnpackers,
  gzip: (packed, most) => gunzipSync(packed, { maxOutputLength: most }),
  zstd: (packed, most) => zstdDecompressSync(packed, { maxOutputLength: most }),
  xz: byProgram("xz"),
  lzma: byProgram("lzma"),
  bzip2: byProgram("bzip2"),
};
