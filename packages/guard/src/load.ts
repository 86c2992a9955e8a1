import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SpillwayError } from "@spillway/core";
import { errnoIn } from "./errno.ts";
import { findProgram, requireGuardProgram } from "./find-program.ts";
import type { GuardState } from "./guard-state.ts";
import type { Host } from "./host.ts";
import { installedModule } from "./installed-module.ts";
import { newestKmsg, readKmsg, troubleIn } from "./kmsg.ts";
import { loadError } from "./load-failure.ts";
import { type ModuleParameters, parameterWords } from "./module-parameters.ts";
import { runProgram } from "./run-program.ts";
import { isLoaded, readState } from "./sysfs.ts";

/** What to load, and how. */
export interface LoadRequest {
  /** A module file; null for the installed one. */
  readonly module: string | null;
  readonly parameters: ModuleParameters;
}

/** The program to run and what it loads: insmod for a file, modprobe for what is installed. */
function loader(host: Host, request: LoadRequest): { readonly program: string; readonly what: string } {
  if (request.module !== null) {
    const file = resolve(request.module);
    if (!existsSync(file)) {
      throw new SpillwayError("SPW_INPUT_NOT_FOUND", `${request.module}: there is no such file`, {
        facts: { path: file },
        hint: "spillway guard build makes one",
      });
    }
    return { program: requireGuardProgram("insmod"), what: file };
  }
  const installed = installedModule(host);
  if (installed === null) {
    throw new SpillwayError("SPW_GUARD_NO_MODULE", `spillway.ko is not installed for kernel ${host.release}`, {
      class: "environment",
      facts: { release: host.release },
      hint: "spillway guard install installs it; or spillway guard build, then spillway guard load --module spillway.ko",
    });
  }
  const modprobe = findProgram("modprobe");
  if (modprobe !== null) return { program: modprobe, what: "spillway" };
  return { program: requireGuardProgram("insmod"), what: host.path(installed.path) };
}

/**
 * Loads the module and reads its state.
 * @throws SpillwayError SPW_GUARD_LOADED_ALREADY, SPW_GUARD_NO_MODULE, SPW_GUARD_PROGRAM_MISSING, SPW_GUARD_PERMISSION,
 *   SPW_GUARD_LOAD_FAILED with what the module and the kernel said
 */
export async function loadModule(host: Host, request: LoadRequest): Promise<GuardState> {
  if (isLoaded(host)) throw loadedAlready();
  const { program, what } = loader(host, request);
  const before = newestKmsg(host);
  const { status, stdout, stderr } = await runProgram(program, [what, ...parameterWords(request.parameters)]);
  if (status === 0) return readState(host);
  const output = stderr.trim() === "" ? stdout : stderr;
  const errno = errnoIn(output);
  if (errno === "EEXIST") throw loadedAlready();
  const records = readKmsg(host, before);
  const log = records === null ? null : troubleIn(records);
  const ftraceOff = host.word("/proc/sys/kernel/ftrace_enabled") === "0";
  throw loadError({ errno, output, log, root: host.uid === 0, release: host.release, ftraceOff });
}

function loadedAlready(): SpillwayError {
  return new SpillwayError("SPW_GUARD_LOADED_ALREADY", "spillway.ko is loaded already", {
    class: "environment",
    hint: "spillway guard set changes total and threshold while it runs; for other points unload it first",
  });
}
