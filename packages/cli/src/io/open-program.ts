import { openProgram, type Program } from "@spillway/core";
import type { OpenProgramOptions } from "../context.ts";
import { FileSource } from "./file-source.ts";
import { nodeCodecs } from "./node-codecs.ts";
import { nodeUnpackers } from "./node-unpackers.ts";

/**
 * Opens a kernel to study from its file: vmlinux, vmlinuz, or a dump (all files of a split set).
 * @throws SpillwayError what `openProgram` and `FileSource` throw
 */
export function openProgramFiles(files: readonly string[]): Program {
  return openProgram(
    files.map((file) => new FileSource(file)),
    { codecs: nodeCodecs, unpackers: nodeUnpackers },
  );
}

/** Where Linux shows its own memory as an ELF core. */
const KCORE = "/proc/kcore";

/** The same for a command's input: a file, or `live`, the kernel that runs here. */
export function openProgramFile(input: string, _options: OpenProgramOptions): Program {
  if (input !== "live") return openProgramFiles([input]);
  return openProgram([new FileSource(KCORE)], { live: true, codecs: nodeCodecs, unpackers: nodeUnpackers });
}
