import { openDump, openKernel } from "@spillway/core";
import type { OpenedDump } from "../context.ts";
import { DiskDebugFiles } from "./debug-files.ts";
import { FileSource } from "./file-source.ts";
import { nodeCodecs } from "./node-codecs.ts";

/**
 * Opens a dump from its file, or from all files of a split set. They stay open until the process ends.
 * @param debugInfo files and directories with debug information; null: no use is made of any
 */
export function openFiles(files: readonly string[], debugInfo: readonly string[] | null = null): OpenedDump {
  return {
    files,
    kernel: openKernel(
      openDump(
        files.map((file) => new FileSource(file)),
        { codecs: nodeCodecs },
      ),
      { debugFiles: debugInfo === null ? undefined : new DiskDebugFiles(debugInfo) },
    ),
  };
}
