/** Where a module to load would come from: installed already, or built here. */
import { existsSync } from "node:fs";
import { findProgram } from "../find-program.ts";
import type { Host } from "../host.ts";
import type { InstalledModule } from "../installed-module.ts";
import { buildFolder } from "../kernel-headers.ts";
import { type Finding, note, ok } from "./finding.ts";

/** @param installed the module as it is installed for this kernel, where it is */
export function buildFindings(host: Host, installed: InstalledModule | null): Finding[] {
  const findings: Finding[] = [];
  if (installed !== null) findings.push(ok("installed", "spillway.ko is installed for this kernel", installed.path));
  const headers = buildFolder(host, host.release);
  if (headers !== null) {
    findings.push(ok("headers", "the kernel's headers are here", headers));
  } else if (installed === null) {
    findings.push(
      note(
        "headers",
        "the kernel's headers are not here: the module cannot be built on this machine",
        `no /lib/modules/${host.release}/build`,
        `sudo apt-get install linux-headers-${host.release}; or build it elsewhere: spillway guard build --kernel ${host.release}`,
      ),
    );
  }
  if (installed !== null) return findings;
  const missing = ["make", "gcc"].filter((program) => findProgram(program) === null);
  if (missing.length === 0) findings.push(ok("compiler", "make and a compiler are here", "PATH"));
  else if (headers !== null || existsSync(host.path("/usr/bin/apt-get"))) {
    const names = missing.join(" and ");
    findings.push(note("compiler", `to build it here, ${names} would be needed`, "PATH", `install ${names}`));
  }
  return findings;
}
