import { defaultPoints } from "../default-points.ts";
import type { Host } from "../host.ts";
import { installedModule } from "../installed-module.ts";
import { isLoaded } from "../sysfs.ts";
import { buildFindings } from "./build-findings.ts";
import { type Finding, note } from "./finding.ts";
import { ftraceFindings } from "./ftrace-findings.ts";
import { kernelFindings } from "./kernel-findings.ts";
import { KernelOptions } from "./kernel-options.ts";
import { privilegeFindings } from "./privilege-findings.ts";
import { signatureFindings } from "./signature-findings.ts";

/** What `spillway guard check --json` prints; a contract, to which fields may be added. */
export interface GuardCheck {
  /** The module can run here, as far as this machine tells. */
  readonly ok: boolean;
  /** Why not: each says what is so and what to do. */
  readonly reasons: readonly string[];
  readonly kernel: string;
  readonly loaded: boolean;
  readonly findings: readonly Finding[];
}

/** Looks at everything that decides whether spillway.ko can run on a machine. Reads only. */
export function checkMachine(host: Host): GuardCheck {
  const loaded = isLoaded(host);
  const installed = installedModule(host);
  const findings = [
    ...kernelFindings(host, new KernelOptions(host)),
    ...privilegeFindings(host),
    ...signatureFindings(host, installed),
    ...ftraceFindings(host, loaded ? [] : defaultPoints()),
    ...(loaded
      ? [note("loaded", "spillway.ko is loaded already", "/sys/kernel/spillway", "see it with: spillway guard status")]
      : buildFindings(host, installed)),
  ];
  const reasons = findings
    .filter((finding) => finding.state === "forbids")
    .map((finding) => (finding.advice === null ? finding.text : `${finding.text}: ${finding.advice}`));
  return { ok: reasons.length === 0, reasons, kernel: host.release, loaded, findings };
}
