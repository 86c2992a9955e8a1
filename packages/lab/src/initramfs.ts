import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type CpioEntry, cpioArchive } from "./cpio.ts";
import { requireProgram } from "./debian-packages.ts";
import { sharedLibraries } from "./shared-libraries.ts";

/** What goes into an initramfs besides busybox. */
export interface InitramfsContents {
  /** The shell script that is the guest's first process. */
  readonly init: string;
  /** Full paths of programs of this machine, which end up in /bin with their libraries. */
  readonly programs: readonly string[];
  /** Further files by their path in the guest, without the leading slash. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const FOLDERS = ["bin", "dev", "proc", "sys", "tmp"];

/** The busybox commands that the guest's scripts use. */
const APPLETS = (
  "sh mount insmod sleep uname cat dd wc rm poweroff tail tr sync dmesg sed grep ls seq rmmod kill mkdir umount losetup ps head " +
  "cp df find sort uniq truncate mke2fs mkswap swapon swapoff blkdiscard ifconfig ip ping ping6 tar cut xargs ln touch awk mknod taskset setsid usleep stat timeout od"
).split(" ");

/** Collects entries and puts each folder before what is in it. */
class Tree {
  readonly entries: CpioEntry[] = [];
  readonly #known = new Set<string>();

  folder(path: string): void {
    if (path === "." || path === "" || this.#known.has(path)) return;
    this.folder(dirname(path));
    this.#known.add(path);
    this.entries.push({ kind: "folder", path });
  }

  file(path: string, data: Uint8Array, executable: boolean): void {
    if (this.#known.has(path)) return;
    this.folder(dirname(path));
    this.#known.add(path);
    this.entries.push({ kind: "file", path, data, executable });
  }

  link(path: string, target: string): void {
    if (this.#known.has(path)) return;
    this.#known.add(path);
    this.entries.push({ kind: "link", path, target });
  }
}

/** An initramfs, not compressed: under emulation unpacking costs more than copying. */
export async function buildInitramfs(contents: InitramfsContents): Promise<Buffer> {
  const tree = new Tree();
  for (const folder of FOLDERS) tree.folder(folder);
  for (const program of [requireProgram("busybox"), ...contents.programs]) {
    tree.file(`bin/${basename(program)}`, await readFile(program), true);
    for (const library of await sharedLibraries(program)) tree.file(library.slice(1), await readFile(library), true);
  }
  for (const applet of APPLETS) tree.link(`bin/${applet}`, "busybox");
  for (const [path, data] of contents.files) tree.file(path, data, false);
  tree.file("init", Buffer.from(contents.init), true);
  return cpioArchive(tree.entries);
}
