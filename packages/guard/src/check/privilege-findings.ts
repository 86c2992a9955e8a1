/** May modules be loaded from here at all? */
import type { Host } from "../host.ts";
import { type Finding, forbids, note, ok, unknown } from "./finding.ts";

/** Bit of CAP_SYS_MODULE in a set of capabilities (include/uapi/linux/capability.h). */
const CAP_SYS_MODULE = 16n;

/** A set of capabilities of /proc/PID/status (`CapEff`, `CapBnd`), or null where the text has none. */
export function capabilitySet(status: string, name: string): bigint | null {
  const match = new RegExp(`^${name}:\\s*([0-9a-f]{1,16})$`, "m").exec(status);
  return match === null ? null : BigInt(`0x${match[1]}`);
}

/** Whether all user IDs map to themselves: then this is no user namespace of its own. */
export function isInitialUserNamespace(uidMap: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(uidMap);
}

function has(set: bigint): boolean {
  return ((set >> CAP_SYS_MODULE) & 1n) === 1n;
}

function modulesSupported(host: Host): Finding {
  if (host.bytes("/proc/modules") !== null) return ok("modules", "the kernel can load modules", "/proc/modules");
  return forbids(
    "modules",
    "the kernel cannot load modules (CONFIG_MODULES is off)",
    "no /proc/modules",
    "run a kernel that is built with CONFIG_MODULES",
  );
}

function modulesEnabled(host: Host): Finding[] {
  const path = "/proc/sys/kernel/modules_disabled";
  const value = host.word(path);
  if (value === null) return [];
  if (value === "0") return [ok("modules-disabled", "loading modules is not switched off", path)];
  return [
    forbids(
      "modules-disabled",
      "loading modules is switched off until the next boot (sysctl kernel.modules_disabled=1)",
      path,
      "find who sets it (/etc/sysctl.d), load spillway earlier (spillway guard install --boot), and reboot",
    ),
  ];
}

function capability(host: Host): Finding {
  const id = "capability";
  const map = host.text("/proc/self/uid_map");
  if (map !== null && !isInitialUserNamespace(map)) {
    return forbids(
      id,
      "this process is in a user namespace, a rootless container mostly: nothing in it may load modules",
      "/proc/self/uid_map",
      "run spillway on the host itself",
    );
  }
  const path = "/proc/self/status";
  const status = host.text(path) ?? "";
  const effective = capabilitySet(status, "CapEff");
  const bounding = capabilitySet(status, "CapBnd");
  if (effective === null) return unknown(id, "whether this process may load modules is not known");
  if (has(effective)) return ok(id, "this process may load modules (CAP_SYS_MODULE)", path);
  if (bounding !== null && !has(bounding)) {
    return forbids(
      id,
      "nothing in this container may load modules: CAP_SYS_MODULE was taken away",
      path,
      "run spillway on the host itself, or start the container with --cap-add SYS_MODULE",
    );
  }
  return note(id, "this user may not load modules; root may", path, "use sudo for load, set, drain and unload");
}

/** Modules, the switch that turns them off, and this process's rights. */
export function privilegeFindings(host: Host): Finding[] {
  return [modulesSupported(host), ...modulesEnabled(host), capability(host)];
}
