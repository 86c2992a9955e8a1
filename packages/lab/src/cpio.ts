/** One entry of an archive: a folder, a file with its bytes, or a symbolic link with its target. */
export type CpioEntry =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly data: Uint8Array; readonly executable?: boolean }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const FOLDER_MODE = 0o040755;
const LINK_MODE = 0o120777;

const encoder = new TextEncoder();

function modeOf(entry: CpioEntry): number {
  if (entry.kind === "folder") return FOLDER_MODE;
  if (entry.kind === "link") return LINK_MODE;
  return entry.executable === true ? 0o100755 : 0o100644;
}

function dataOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === "file") return entry.data;
  return entry.kind === "link" ? encoder.encode(entry.target) : new Uint8Array(0);
}

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);

function* member(inode: number, mode: number, path: string, data: Uint8Array): Generator<Uint8Array> {
  const name = encoder.encode(`${path}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = encoder.encode(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  yield header;
  yield name;
  yield padding(header.length + name.length);
  yield data;
  yield padding(data.length);
}

/**
 * A cpio archive of the "newc" kind, the one the kernel unpacks as its initramfs (Documentation/driver-api/
 * early-userspace/buffer-format.rst). Paths are relative; folders must come before what is in them.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  let inode = 1;
  for (const entry of entries) parts.push(...member(inode++, modeOf(entry), entry.path, dataOf(entry)));
  parts.push(...member(0, 0, "TRAILER!!!", new Uint8Array(0)));
  return Buffer.concat(parts);
}
