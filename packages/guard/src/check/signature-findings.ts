/** Must a module be signed here: secure boot, lockdown, module.sig_enforce. */
import type { Host } from "../host.ts";
import { type InstalledModule, isSigned } from "../installed-module.ts";
import { type Finding, forbids, note, ok } from "./finding.ts";

/** The firmware's variable: four bytes of attributes, then 1 where secure boot is on (UEFI 2.10, 3.3). */
const SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
const LOCKDOWN = "/sys/kernel/security/lockdown";
const ENFORCE = "/sys/module/module/parameters/sig_enforce";

/** The mode in brackets: `none [integrity] confidentiality` is `integrity`; null for another form. */
export function lockdownMode(text: string): string | null {
  return /\[(\w+)\]/.exec(text)?.[1] ?? null;
}

/** Why modules have to be signed on this machine; null where they need not be. */
function whySigned(host: Host): { readonly why: string; readonly source: string } | null {
  const mode = lockdownMode(host.text(LOCKDOWN) ?? "");
  if (mode !== null && mode !== "none") {
    const secure = host.bytes(SECURE_BOOT)?.[4] === 1 ? ", because the machine booted securely" : "";
    return { why: `the kernel is locked down (${mode})${secure}`, source: LOCKDOWN };
  }
  if (host.word(ENFORCE) === "Y") return { why: "the kernel enforces signatures", source: ENFORCE };
  return null;
}

const SIGN = "sign it with a key that the firmware knows (MOK): docs/guard.md, Secure boot";

/** @param installed the module as it is installed for this kernel, where it is */
export function signatureFindings(host: Host, installed: InstalledModule | null): Finding[] {
  const why = whySigned(host);
  if (why === null) {
    const source = host.word(ENFORCE) === null ? LOCKDOWN : ENFORCE;
    return [ok("signature", "modules need no signature here", source)];
  }
  if (installed !== null && isSigned(host.bytes(installed.path))) {
    return [
      note(
        "signature",
        `${why.why}: modules must be signed. The installed one is; whether the key is enrolled shows when it is loaded`,
        why.source,
        "mokutil --list-enrolled lists the keys",
      ),
    ];
  }
  return [forbids("signature", `${why.why}: modules without a signature are refused`, why.source, SIGN)];
}
