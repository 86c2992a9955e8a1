import { createHash } from "node:crypto";
import { lstatSync, readdirSync, realpathSync, statfsSync, statSync } from "node:fs";
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
    const add = (path: string): boolean => {
      const stat = lstatSync(path, { bigint: true });
      hash.update(`${path}\0${stat.dev}\0${stat.ino}\0${stat.mode}\0${stat.size}\0${stat.mtimeNs}\0${stat.ctimeNs}\n`);
      count++;
      if (stat.isDirectory()) return readdirSync(path).every((name) => count < MOST_FILES && add(join(path, name)));
      // Links in a folder are not followed by anybody.
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
