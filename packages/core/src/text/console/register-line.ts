/** Register dumps: x86, arm64, arm, powerpc, riscv, s390. */
import { hexNumber, placeIn } from "./code-place.ts";
import type { CodePlace } from "./report.ts";

export interface RegisterLine {
  readonly pc: CodePlace | null;
  /** Code segment or mode of user space, where this line tells; else null. */
  readonly userMode: boolean | null;
  readonly values: readonly (readonly [string, bigint])[];
}

/** `RIP: 0010:fn+0x…`, `RIP: 0010:[<…>] [<…>] fn+…`, `EIP is at fn+…`, `EIP: 0060:[<…>]`. The selector's low bits are the privilege. */
const X86_PC = /^(?:\(?R?E?IP is at|[RE]IP:?)\s*(?:([0-9a-f]{2,4}):)?(.*)/;
const PC_AT = /^(?:PC is at|pc ?:|epc ?:|NIP \[[0-9a-f]+\]|NIP: |Krnl PSW ?:)\s*(.*)/i;

/** `RAX: 0000…`, `CR2: …`, `RSP: 0018:ffff…`. */
const X86_VALUE =
  /\b(R[A-D]X|R[SD]I|R[BS]P|R\d{1,2}|E[A-D]X|E[SD]I|E[BS]P|CR[0-4]|EFLAGS|ORIG_RAX|e[a-d]x|e[sd]i|e[bs]p)\s?[:<]\s?(?:([0-9a-f]{4}):)?(?:<?)([0-9a-f]{8,16})\b/g;
/** `x29: ffff…`, `sp : ffff…`, `lr : ffff…`, `r10: c0…`, `s0 : …`, `ra : …`. */
const NAMED_VALUE =
  /\b(x\d{1,2}|r\d{1,2}|sp|lr|pc|ip|fp|ra|gp|tp|epc|[ast]\d{1,2}|pstate|psr|badaddr|cause|status)\s{0,2}: \[?<?([0-9a-f]{8,16})>?\]?/g;
const FAR =
  /^(?:FAR|\s*FAR =|DAR|Faulting data address|Failing address|Fault instruction address)[:= ]+\s*(?:0x)?([0-9a-f]{8,16})/;
/** powerpc: registers by fours, `GPR00: a b c d`. s390: `Krnl GPRS: a b c d`, then lines of four. */
const GPR = /^(?:GPR(\d\d)|Krnl GPRS)\s?: ?((?:[0-9a-f]{8,16}\s*){1,8})$/;

/** What a line says about registers; null where it is none of a register dump's. */
export function readRegisterLine(text: string): RegisterLine | null {
  const c = text.charCodeAt(0) | 0x20;
  // Lines of register dumps begin with one of these; most other lines are ruled out at once.
  if (!"abcdefgikloprstnwx(".includes(String.fromCharCode(c))) return null;
  if (text.length > 400) return null;
  const values = readValues(text);
  const x86 = X86_PC.exec(text);
  if (x86 !== null && (x86[1] !== undefined || /\+0x|\[<|^0x|[0-9a-f]{8}/.test(x86[2]!))) {
    const selector = x86[1] === undefined ? null : Number.parseInt(x86[1], 16);
    return { pc: placeIn(x86[2]!), userMode: selector === null ? null : (selector & 3) === 3, values };
  }
  const other = PC_AT.exec(text);
  if (other !== null) {
    const place = placeIn(other[1]!);
    // `pc : [<c0…>] lr : [<c0…>]` names addresses only; the function comes with "PC is at".
    return { pc: place, userMode: null, values };
  }
  return values.length === 0 ? null : { pc: null, userMode: null, values };
}

function readValues(text: string): [string, bigint][] {
  const values: [string, bigint][] = [];
  const add = (name: string, digits: string): void => {
    const value = hexNumber(digits);
    if (value !== null) values.push([name, value]);
  };
  const gpr = GPR.exec(text);
  if (gpr !== null) {
    const first = gpr[1] === undefined ? 0 : Number(gpr[1]);
    for (const [index, word] of gpr[2]!.trim().split(/\s+/).entries()) add(`r${first + index}`, word);
    return values;
  }
  const far = FAR.exec(text);
  if (far !== null) add("fault", far[1]!);
  if (/[A-Z]/.test(text)) {
    for (const match of text.matchAll(X86_VALUE))
      add(match[1]!.toLowerCase().replace(/^e(?=[a-ds][xpi]|[bd][pi]$)/, "e"), match[3]!);
    if (values.length > 0) return values;
  }
  for (const match of text.matchAll(X86_VALUE)) add(match[1]!.toLowerCase(), match[3]!);
  if (values.length > 0) return values;
  for (const match of text.matchAll(NAMED_VALUE)) add(match[1]!, match[2]!);
  return values;
}

/** Architecture whose registers these are, as `uname -m` says it; null where they do not tell. */
export function archOf(registers: ReadonlyMap<string, bigint>): string | null {
  const has = (name: string): boolean => registers.has(name);
  if (has("rsp") || has("rax") || has("rip")) return "x86_64";
  if (has("esp") || has("eax")) return "i686";
  if (has("x29") || has("x0")) return "aarch64";
  if (has("ra") && has("sp")) return "riscv64";
  if (has("r31")) return "ppc64le";
  if (has("lr") && has("sp")) return "arm";
  if (has("r15") && has("r0")) return "s390x";
  return null;
}
