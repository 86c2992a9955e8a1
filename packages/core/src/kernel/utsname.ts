import { type KernelContext, kernelSymbol } from "./context.ts";

export interface Utsname {
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

/** `__NEW_UTS_LEN` + 1, include/uapi/linux/utsname.h. */
const FIELD = 65;

/**
 * `init_uts_ns.name`. The member follows a reference count of 4 bytes up to 5.10 and comes first since 5.11, so it is found
 * by its first field, which reads "Linux". Null where it cannot be read.
 */
export function readUtsname(context: Pick<KernelContext, "symbols" | "vmcoreinfo" | "memory">): Utsname | null {
  const base = kernelSymbol(context, "init_uts_ns");
  if (base === null) return null;
  const { memory } = context;
  for (const offset of [0n, 4n, 8n]) {
    if (memory.cstring(base + offset, FIELD) !== "Linux") continue;
    const field = (i: number): string => memory.cstring(base + offset + BigInt(i * FIELD), FIELD) ?? "";
    return { nodename: field(1), release: field(2), version: field(3), machine: field(4) };
  }
  return null;
}

/** `linux_banner`, "Linux version …", without its newline; empty where it cannot be read. */
export function readBanner(context: Pick<KernelContext, "symbols" | "vmcoreinfo" | "memory">): string {
  const address = kernelSymbol(context, "linux_banner");
  const text = address === null ? null : context.memory.cstring(address, 1024);
  return text?.startsWith("Linux version ") ? text.trimEnd() : "";
}
