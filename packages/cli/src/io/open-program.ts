import {
  type DeclaredTypes,
  declaredTypes,
  type ModuleSource,
  openProgram,
  type Program,
  SpillwayError,
} from "@spillway/core";
import type { OpenProgramOptions } from "../context.ts";
import { DiskDebugFiles } from "./debug-files.ts";
import { FileSource } from "./file-source.ts";
import { moduleFiles } from "./module-files.ts";
import { nodeCodecs } from "./node-codecs.ts";
import { nodeUnpackers } from "./node-unpackers.ts";

/** What stands for the running kernel where a file is asked for. */
export const LIVE = "live";
/** The running kernel's memory as an ELF core; root may read it, where lockdown does not forbid it. */
const KCORE = "/proc/kcore";

/**
 * Opens a kernel to study from its file: vmlinux, vmlinuz, a dump, or `live` for the running one; with the modules of a
 * folder beside it where the options name one.
 * @throws SpillwayError what `openProgram`, `moduleFiles` and `FileSource` throw
 */
export function openProgramFile(input: string, options: Partial<OpenProgramOptions> = {}): Program {
  const { modules = [], progress, unpackers = nodeUnpackers } = options;
  const live = input === LIVE;
  return openProgram([new FileSource(live ? KCORE : input)], {
    codecs: nodeCodecs,
    unpackers,
    live,
    ...(modules.length === 0 ? {} : { modules: counted(modules.flatMap(moduleFiles), progress) }),
  });
}

/**
 * Opens debug information of a program's kernel and modules: files, and folders in which theirs are looked for.
 * @throws SpillwayError `SPW_DEBUGINFO_NOT_FOUND` where there is none of this kernel; what `declaredTypes` and `DiskDebugFiles` throw
 */
export function openDeclaredTypeFiles(program: Program, paths: readonly string[]): DeclaredTypes {
  const problems: string[] = [];
  const declared = declaredTypes(program, new DiskDebugFiles(paths, null), problems);
  if (declared !== null) return declared;
  const { modules } = program.symbols;
  const which = modules.length === 0 ? "this kernel" : "this kernel or its modules";
  throw new SpillwayError("SPW_DEBUGINFO_NOT_FOUND", `${paths.join(", ")}: no debug information of ${which}`, {
    class: "missing",
    facts: { paths, release: program.release, modules: modules.length, problems },
    hint: problems[0] ?? `It has to be of exactly this build of ${program.release ?? "the kernel"}.`,
  });
}

/** Tells, as each module is taken, how many there are. */
function* counted(sources: readonly ModuleSource[], progress: OpenProgramOptions["progress"] | undefined) {
  for (const [done, source] of sources.entries()) {
    progress?.("reading modules", done, sources.length);
    yield source;
  }
}
