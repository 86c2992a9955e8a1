/**
 * VMCOREINFO: the `KEY=value` text that the kernel leaves for dump tools (kernel/vmcore_info.c since 6.9, before that
 * kernel/crash_core.c, before 4.13 kernel/kexec*.c). Keys are kept whole, `SYMBOL(_stext)`; the functions below read
 * the kinds of them.
 */
export type Vmcoreinfo = ReadonlyMap<string, string>;

/** The kernel's buffer is one page until 6.x; four leave room for what comes. */
const LONGEST_TEXT = 16384;

/** Parses the text; lines without `=` and everything from a NUL on are ignored, the last of equal keys wins. */
export function parseVmcoreinfo(text: string | null): Map<string, string> {
  const entries = new Map<string, string>();
  if (text === null) return entries;
  const end = text.indexOf("\0");
  const whole = text.slice(0, Math.min(end < 0 ? text.length : end, LONGEST_TEXT));
  for (const line of whole.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) entries.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  return entries;
}

/** Address of `SYMBOL(name)`; null where the kernel does not say (or says 0). */
export function vmcoreSymbol(info: Vmcoreinfo, name: string): bigint | null {
  const value = hexadecimal(info.get(`SYMBOL(${name})`));
  return value === 0n ? null : value;
}

/** `NUMBER(name)`: signed decimal, or hexadecimal with 0x. */
export function vmcoreNumber(info: Vmcoreinfo, name: string): bigint | null {
  return integer(info.get(`NUMBER(${name})`));
}

/** `OFFSET(struct.member)` in bytes. */
export function vmcoreOffset(info: Vmcoreinfo, member: string): number | null {
  return small(info.get(`OFFSET(${member})`));
}

/** `SIZE(struct)` in bytes. */
export function vmcoreSize(info: Vmcoreinfo, name: string): number | null {
  return small(info.get(`SIZE(${name})`));
}

/** `LENGTH(array)` in elements. */
export function vmcoreLength(info: Vmcoreinfo, name: string): number | null {
  return small(info.get(`LENGTH(${name})`));
}

/** `KERNELOFFSET`: how far KASLR moved the kernel's virtual addresses, in bytes (hexadecimal without 0x). */
export function vmcoreKaslrOffset(info: Vmcoreinfo): bigint | null {
  return hexadecimal(info.get("KERNELOFFSET"));
}

function hexadecimal(text: string | undefined): bigint | null {
  return text !== undefined && /^(0x)?[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text.replace(/^0x/i, "")}`) : null;
}

function integer(text: string | undefined): bigint | null {
  if (text === undefined) return null;
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return BigInt(text);
  return /^-?[0-9]{1,20}$/.test(text) ? BigInt(text) : null;
}

function small(text: string | undefined): number | null {
  const value = integer(text);
  return value === null || value < 0n || value > 0xffffffffn ? null : Number(value);
}
