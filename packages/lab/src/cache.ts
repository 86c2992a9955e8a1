import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Fills a folder of the cache, once: `fill` gets an empty folder, which becomes `folder` only when `fill` is done, so an
 * interrupted or parallel run never leaves half a folder behind.
 */
export async function fillOnce(folder: string, fill: (empty: string) => Promise<void>): Promise<void> {
  if (await exists(folder)) return;
  const draft = `${folder}.${process.pid}-${randomBytes(4).toString("hex")}`;
  await mkdir(draft, { recursive: true });
  try {
    await fill(draft);
    await mkdir(dirname(folder), { recursive: true });
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      // Somebody else was faster: theirs is as good.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
