import { copyFile, cp, mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { sourceNames } from "./module-sources.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

/** What kbuild is to do. */
export interface KbuildRequest {
  /** `make`, as a full path or by name. */
  readonly make: string;
  /** The kernel's build folder: its headers and Makefile. */
  readonly headers: string;
  /** The folder with the module's Kbuild. */
  readonly sources: string;
  /** An empty folder to build in: kbuild writes next to the sources. */
  readonly scratch: string;
  /** Of the module, without `.ko`. */
  readonly name: string;
  /** Where `NAME.ko` is copied to. */
  readonly output: string;
}

/** Builds a module out of tree, with plain kbuild. What it says about trouble is in `stderr`. */
export async function kbuild(request: KbuildRequest): Promise<ProgramResult> {
  const { headers, sources, scratch, name, output } = request;
  await mkdir(scratch, { recursive: true });
  for (const file of sourceNames(sources)) await cp(join(sources, file), join(scratch, file));
  const result = await runProgram(request.make, [
    "-s",
    `-j${availableParallelism()}`,
    "-C",
    headers,
    `M=${scratch}`,
    "modules",
  ]);
  if (result.status === 0) await copyFile(join(scratch, `${name}.ko`), output);
  return result;
}
