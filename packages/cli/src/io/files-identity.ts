import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync, realpathSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";

/** PROC_SUPER_MAGIC and SYSFS_MAGIC (include/uapi/linux/magic.h): what lies there changes while its dates do not. */
const LIVE_FILE_SYSTEMS = [0x9fa0, 0x62656572];
/** A release's tree of modules holds some thousand files. */
const MOST_FILES = 100_000;

/**
 * A text that stays the same as long as files, and all files in folders, do: it is made of where they lie, how long they are and
 * when they were last changed, as git's index knows files. Nothing is read. The time of the last change of an inode cannot be set
 * back.
 * @returns null where that cannot be told: a file is not there, is none, or lies in /proc or /sys, or there are too many
 */
export function filesIdentity(paths: readonly string[]): string | null {
  const hash = createHash("sha256");
  try {
    let count = 0;
    const note = (path: string, stat: BigIntStats | undefined): void => {
      const parts = stat === undefined ? [] : [stat.dev, stat.ino, stat.mode, stat.size, stat.mtimeNs, stat.ctimeNs];
      hash.update(`${[path, ...parts].join("\0")}\n`);
    };
    const add = (path: string): boolean => {
      const stat = lstatSync(path, { bigint: true });
      note(path, stat);
      count++;
      if (stat.isDirectory()) return readdirSync(path).every((name) => count < MOST_FILES && add(join(path, name)));
      // Debug information may be read through a link to a file. Folders behind links (`build`) lead to sources, or in circles.
      if (stat.isSymbolicLink()) note(path, statSync(path, { bigint: true, throwIfNoEntry: false }));
      return stat.isFile() || stat.isSymbolicLink();
    };
    for (const path of paths) {
      const real = realpathSync(path);
      const { type } = statfsSync(real);
      if (LIVE_FILE_SYSTEMS.includes(type)) return null;
      if (!statSync(real).isFile() && !statSync(real).isDirectory()) return null;
      hash.update(`${path}\0`);
      if (!add(real)) return null;
    }
  } catch {
    return null;
  }
  return hash.digest("hex");
}
