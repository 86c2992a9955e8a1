/** Files of modules below a folder, as `modules_install` and distributions lay them out: .ko, .ko.xz, .ko.zst, .ko.gz. */
import { spawnSync } from "node:child_process";
import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ModuleSource, SpillwayError } from "@spillway/core";
import { xzLength } from "./xz-length.ts";

/** A release's tree holds some thousand files in some hundred directories. */
const MOST_DIRECTORIES = 20_000;
/** Files that one run of xz unpacks: a process for each would take longer than the unpacking. */
const BATCH = 128;
const LARGEST = 1 << 28;

/**
 * The modules below a folder. As depmod has it by default, those of `updates` go before the others of their name.
 * @throws SpillwayError `SPW_INPUT_NOT_FOUND`, `SPW_INPUT_UNREADABLE`, `SPW_INPUT_NOT_A_FILE` for the folder itself;
 *   `SPW_PROGRAM_NO_MODULES` where none are in it
 */
export function moduleFiles(folder: string): ModuleSource[] {
  const paths = pathsBelow(folder);
  if (paths.length === 0) {
    throw new SpillwayError("SPW_PROGRAM_NO_MODULES", `${folder}: there are no modules below it`, {
      class: "missing",
      facts: { path: folder },
      hint: "A release's modules lie in /lib/modules/RELEASE: .ko, .ko.xz, .ko.zst or .ko.gz.",
    });
  }
  const isUpdate = (path: string) => (/\/updates\//.test(path.slice(folder.length)) ? 0 : 1);
  paths.sort((a, b) => isUpdate(a) - isUpdate(b) || (a < b ? -1 : 1));
  const packed = new XzFiles(paths.filter((path) => path.endsWith(".xz")));
  return paths.map((path) => ({
    path,
    read: () => (path.endsWith(".xz") ? packed.read(path) : null) ?? readWhole(path),
  }));
}

/** A file as it is; what is larger than any module can be is not read. */
function readWhole(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > LARGEST) throw new Error(`it has ${size} bytes, more than any module`);
  return readFileSync(path);
}

function pathsBelow(folder: string): string[] {
  const paths: string[] = [];
  const folders = [folder];
  for (let i = 0; i < folders.length && i < MOST_DIRECTORIES; i++) {
    for (const entry of entriesOf(folders[i] as string, i === 0)) {
      const path = join(folders[i] as string, entry.name);
      // Links to folders lead to the kernel's sources, or in circles; those to modules (weak-updates) are modules.
      if (entry.isDirectory()) folders.push(path);
      else if (/\.ko(\.(xz|zst|gz))?$/.test(entry.name) && (entry.isFile() || leadsToFile(entry, path)))
        paths.push(path);
    }
  }
  return paths;
}

function leadsToFile(entry: Dirent, path: string): boolean {
  try {
    return entry.isSymbolicLink() && statSync(path).isFile();
  } catch {
    return false;
  }
}

function entriesOf(folder: string, top: boolean) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (!top) return [];
    const { code } = error as NodeJS.ErrnoException;
    const options = { facts: { path: folder }, cause: error };
    if (code === "ENOENT")
      throw new SpillwayError("SPW_INPUT_NOT_FOUND", `${folder}: there is no such folder`, options);
    if (code === "ENOTDIR") {
      throw new SpillwayError(
        "SPW_INPUT_NOT_A_FILE",
        `${folder}: a file, where a folder of modules is wanted`,
        options,
      );
    }
    throw new SpillwayError("SPW_INPUT_UNREADABLE", `${folder}: it cannot be read`, options);
  }
}

/** Files of xz, unpacked many at a time, in the order in which they are asked for. */
class XzFiles {
  readonly #paths: readonly string[];
  readonly #ready = new Map<string, Uint8Array>();
  #next = 0;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** Null where this file has to be unpacked by itself: it is damaged, or one of its batch is. */
  read(path: string): Uint8Array | null {
    if (!this.#ready.has(path) && this.#paths[this.#next] === path) this.#unpack();
    const bytes = this.#ready.get(path) ?? null;
    this.#ready.delete(path);
    return bytes;
  }

  #unpack(): void {
    const batch = this.#paths.slice(this.#next, this.#next + BATCH);
    this.#next += batch.length;
    const lengths = batch.map((path) => lengthOf(path));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (!(total <= LARGEST)) return;
    const { status, stdout } = spawnSync("xz", ["-dcq", "--", ...batch], {
      maxBuffer: total + 1,
      stdio: ["ignore", "pipe", "ignore"],
    });
    // What does not add up is unpacked one by one, so that the damaged one shows.
    if (status !== 0 || stdout.length !== total) return;
    let at = 0;
    batch.forEach((path, i) => {
      this.#ready.set(path, stdout.subarray(at, at + (lengths[i] as number)));
      at += lengths[i] as number;
    });
  }
}

function lengthOf(path: string): number {
  try {
    return statSync(path).size > LARGEST ? Number.NaN : (xzLength(readFileSync(path)) ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}
