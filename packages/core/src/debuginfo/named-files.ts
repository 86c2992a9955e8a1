import type { ByteSource } from "../bytes/byte-source.ts";
import { SpillwayError } from "../errors.ts";
import { ElfFile } from "./elf/elf-file.ts";
import { hexBuildId } from "./elf/notes.ts";

/** The files that the user named, by what they are of. */
export interface NamedFiles {
  readonly kernel: ByteSource | null;
  readonly modules: ReadonlyMap<string, ByteSource>;
}

/** What of the dump they are matched to; asked only as far as needed. */
export interface NamedFileFacts {
  buildId(): string | null;
  readonly release: string;
  modules(): readonly { readonly name: string; buildId(): string | null }[];
  /** Takes, in words, what is no error but was not checked or not used. */
  problem(text: string): void;
}

/**
 * Matches named files to the kernel and its modules by build-id. Where the dump does not tell one, a file is taken on trust.
 * @throws SpillwayError `SPW_DEBUGINFO_MISMATCH`, `SPW_DEBUGINFO_EMPTY`, `SPW_DEBUGINFO_UNSUPPORTED`, `SPW_DEBUGINFO_CORRUPT`
 */
export function sortNamedFiles(files: readonly ByteSource[], facts: NamedFileFacts): NamedFiles {
  let kernel: ByteSource | null = null;
  const modules = new Map<string, ByteSource>();
  for (const source of files) {
    const elf = new ElfFile(source);
    if (!elf.hasDebugInfo) throw empty(source);
    const id = elf.buildId();
    const hex = id === null ? null : hexBuildId(id);
    if (elf.relocatable) {
      const name = moduleFor(source, hex, facts);
      if (name !== null) modules.set(name, source);
    } else {
      checkKernel(source, hex, facts);
      kernel = source;
    }
  }
  return { kernel, modules };
}

function checkKernel(source: ByteSource, id: string | null, facts: NamedFileFacts): void {
  const wanted = facts.buildId();
  if (wanted === null) {
    facts.problem(`${source.name} is taken on trust: the kernel does not tell its build-id`);
  } else if (id !== wanted) {
    throw new SpillwayError(
      "SPW_DEBUGINFO_MISMATCH",
      `${source.name} is not of this kernel: its build-id is ${id ?? "missing"}, the kernel's ${wanted}`,
      {
        facts: { path: source.name, buildId: id, wanted, release: facts.release },
        hint: `Install the debug package of exactly this build of ${facts.release}, or leave --debuginfo away.`,
      },
    );
  }
}

/** The loaded module that a file is of; null where it is of none. */
function moduleFor(source: ByteSource, id: string | null, facts: NamedFileFacts): string | null {
  const modules = facts.modules();
  if (id !== null) {
    const match = modules.find((module) => module.buildId() === id);
    if (match !== undefined) return match.name;
  }
  const name = moduleNameOf(source.name);
  const same = modules.find((module) => module.name === name);
  if (same === undefined) {
    facts.problem(`${source.name} was not used: no module ${name} is loaded`);
    return null;
  }
  const wanted = same.buildId();
  if (wanted === null) {
    facts.problem(`${source.name} is taken on trust: the build-id of module ${name} is not known`);
    return name;
  }
  throw new SpillwayError(
    "SPW_DEBUGINFO_MISMATCH",
    `${source.name} is another build of module ${name}: its build-id is ${id ?? "missing"}, the loaded module's ${wanted}`,
    {
      facts: { path: source.name, buildId: id, wanted, module: name },
      hint: "Give the file that was loaded when the machine crashed, unstripped, or leave it away.",
    },
  );
}

/** "/…/snd-hda-intel.ko.debug" is module snd_hda_intel. */
export function moduleNameOf(path: string): string {
  const base = path.slice(path.lastIndexOf("/") + 1);
  const end = base.indexOf(".ko");
  return (end < 0 ? base : base.slice(0, end)).replaceAll("-", "_");
}

function empty(source: ByteSource): SpillwayError {
  return new SpillwayError("SPW_DEBUGINFO_EMPTY", `${source.name} has no debug information (no section .debug_info)`, {
    facts: { path: source.name },
    hint: "It was stripped: give the file of the -dbg or -debuginfo package, or an unstripped build.",
  });
}
