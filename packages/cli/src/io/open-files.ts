import { openDump, openKernel } from "@spillway/core";
import type { OpenedDump } from "../context.ts";
import { FileSource } from "./file-source.ts";
import { nodeCodecs } from "./node-codecs.ts";

/** Opens a dump from its file, or from all files of a split set. They stay open until the process ends. */
export function openFiles(files: readonly string[]): OpenedDump {
  return {
    files,
    kernel: openKernel(
      openDump(
        files.map((file) => new FileSource(file)),
        { codecs: nodeCodecs },
      ),
    ),
  };
}
