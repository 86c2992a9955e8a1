import { readFileSync } from "node:fs";
import { arch, machine, release } from "node:os";
import { join } from "node:path";

/** What is known of the machine without reading a file; tests hand in another. */
export interface HostFacts {
  /** Where its files begin. */
  readonly root: string;
  /** As `uname -r` says it. */
  readonly release: string;
  /** As `uname -m` says it. */
  readonly machine: string;
  /** Effective user ID. */
  readonly uid: number;
}

/** The machine that the guard is to run on, seen through its files. */
export class Host implements HostFacts {
  readonly root: string;
  readonly release: string;
  readonly machine: string;
  readonly uid: number;

  constructor(facts: Partial<HostFacts> = {}) {
    this.root = facts.root ?? "/";
    this.release = facts.release ?? release();
    this.machine = facts.machine ?? (arch() === "x64" ? "x86_64" : machine());
    this.uid = facts.uid ?? process.geteuid?.() ?? 0;
  }

  /** Where a file of the machine is found from here. */
  path(path: string): string {
    return join(this.root, path);
  }

  /** A file's bytes; null where it is not there or may not be read. */
  bytes(path: string): Buffer | null {
    try {
      return readFileSync(this.path(path));
    } catch {
      return null;
    }
  }

  /** A file's text; null where it is not there or may not be read. */
  text(path: string): string | null {
    return this.bytes(path)?.toString("utf8") ?? null;
  }

  /** The first word of a file, as the small files of /proc/sys and /sys hold one; null as `text`. */
  word(path: string): string | null {
    return this.text(path)?.trim().split(/\s+/)[0] ?? null;
  }

  /** Names of the loaded modules, none where that is not told. */
  loadedModules(): ReadonlySet<string> {
    const lines = this.text("/proc/modules")?.split("\n") ?? [];
    return new Set(lines.flatMap((line) => line.split(" ", 1)).filter((name) => name !== ""));
  }
}
