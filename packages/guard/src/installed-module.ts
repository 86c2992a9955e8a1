import { existsSync } from "node:fs";
import type { Host } from "./host.ts";

/** spillway.ko where `modprobe` finds it. */
export interface InstalledModule {
  /** In the machine's own file system. */
  readonly path: string;
}

/** Where DKMS installs by distribution (Debian, Fedora, others), and `make modules_install`. */
const FOLDERS = ["updates/dkms", "extra", "updates", "kernel/extra"] as const;
const PACKED = ["", ".xz", ".zst", ".gz"] as const;

/** The module as installed for a kernel; null where there is none. */
export function installedModule(host: Host, release = host.release): InstalledModule | null {
  for (const base of ["/lib/modules", "/usr/lib/modules"]) {
    for (const folder of FOLDERS) {
      for (const packed of PACKED) {
        const path = `${base}/${release}/${folder}/spillway.ko${packed}`;
        if (existsSync(host.path(path))) return { path };
      }
    }
  }
  return null;
}

/** The last bytes of a signed module (include/linux/module_signature.h, MODULE_SIG_STRING). */
const MARK = Buffer.from("~Module signature appended~\n");

/** Does a module file (not a compressed one) carry a signature? */
export function isSigned(file: Buffer | null): boolean {
  return file?.subarray(-MARK.length).equals(MARK) ?? false;
}
