import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SpillwayError } from "@spillway/core";
import { requireGuardProgram } from "./find-program.ts";
import type { Host } from "./host.ts";
import { kbuild } from "./kbuild.ts";
import { requireBuildFolder } from "./kernel-headers.ts";
import { spillwaySources } from "./module-sources.ts";
import { type Progress, silent } from "./progress.ts";
import { tail } from "./run-program.ts";

/** What to build. */
export interface BuildRequest {
  /** The kernel to build for, as its `uname -r` says it. */
  readonly release: string;
  /** The folder that gets spillway.ko; made where it is not there. */
  readonly output: string;
}

/** What was built. */
export interface BuildResult {
  readonly module: string;
  readonly release: string;
  /** Lines of the compiler's that warn. */
  readonly warnings: readonly string[];
}

/**
 * Builds spillway.ko with the kernel's own build system. The sources are not touched.
 * @throws SpillwayError SPW_GUARD_NO_HEADERS, SPW_GUARD_PROGRAM_MISSING, SPW_GUARD_SOURCES, SPW_GUARD_BUILD_FAILED,
 *   SPW_OUTPUT_FAILED
 */
export async function buildModule(
  host: Host,
  request: BuildRequest,
  progress: Progress = silent,
): Promise<BuildResult> {
  const headers = requireBuildFolder(host, request.release);
  const make = requireGuardProgram("make");
  const sources = spillwaySources();
  const module = join(resolve(request.output), "spillway.ko");
  const fresh = `${module}.${process.pid}`;
  const scratch = await mkdtemp(join(tmpdir(), "spillway-build-"));
  progress(`building spillway.ko for ${request.release}`);
  try {
    await mkdir(resolve(request.output), { recursive: true }).catch((error: Error) => {
      throw outputFailed(request.output, error);
    });
    const result = await kbuild({ make, headers, sources, scratch, name: "spillway", output: fresh }).catch(
      (error: Error) => {
        throw outputFailed(module, error);
      },
    );
    if (result.status !== 0) throw buildFailed(request.release, result.stderr);
    await rename(fresh, module).catch((error: Error) => {
      throw outputFailed(module, error);
    });
    const warnings = result.stderr.split("\n").filter((line) => /warning:/i.test(line));
    return { module, release: request.release, warnings };
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await rm(fresh, { force: true });
  }
}

function outputFailed(path: string, error: Error): SpillwayError {
  return new SpillwayError("SPW_OUTPUT_FAILED", `${path}: it cannot be written: ${error.message}`, {
    class: "environment",
    facts: { path },
    cause: error,
  });
}

function buildFailed(release: string, stderr: string): SpillwayError {
  const output = tail(stderr, 20);
  const first = output.find((line) => /error[: ]/i.test(line)) ?? output.at(-1) ?? "";
  return new SpillwayError("SPW_GUARD_BUILD_FAILED", `spillway.ko does not build for ${release}: ${first.trim()}`, {
    class: "environment",
    facts: { release, output },
    hint: `see that linux-headers-${release} and the compiler it was built with are installed completely (--debug shows more)`,
  });
}
