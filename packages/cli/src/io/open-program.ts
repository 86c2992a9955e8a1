import { openProgram, type Program } from "@spillway/core";
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
