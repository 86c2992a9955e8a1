/** Who calls a function directly, by a scan of the text for near calls and jumps that lead to it. */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { type CallSite, callSiteBefore } from "./call-site.ts";
import type { CodeReader } from "./code-reader.ts";

const CHUNK = 1 << 20;
const CALL_REL32 = 0xe8;
const JMP_REL32 = 0xe9;

export interface TextArea {
  readonly start: bigint;
  readonly size: number;
}

/** Text to scan for callers of something in `module` (null: the kernel's own text). */
export function textAreas(reader: CodeReader, module: string | null): TextArea[] {
  if (module !== null) {
    const found = reader.symbols.modules.find((candidate) => candidate.name === module);
    return found?.areas.filter((area) => area.text) ?? [];
  }
  const start = reader.symbols.byName("_stext", null)?.address ?? reader.symbols.byName("_text", null)?.address;
  const end = reader.symbols.byName("_etext", null)?.address;
  if (start === undefined || end === undefined || end <= start) return [];
  return [{ start, size: Number(end - start) }];
}

/**
 * Call sites in `areas` whose call goes straight to `callee`'s entry, or to a function that tail-jumps there (one jump).
 * Every hit is checked against the decoded function, so bytes that only look like a call are not reported.
 */
export function directCallers(reader: CodeReader, callee: FunctionRange, areas: readonly TextArea[]): CallSite[] {
  const entries = [callee];
  for (const area of areas) {
    for (const jump of references(reader, callee, area, JMP_REL32)) {
      const from = reader.symbols.functionAt(jump);
      if (from !== null && from.start !== callee.start && !entries.includes(from)) entries.push(from);
    }
  }
  const sites: CallSite[] = [];
  for (const entry of entries) {
    for (const area of areas) {
      for (const call of references(reader, entry, area, CALL_REL32)) {
        const site = callSiteBefore(reader, call + 5n);
        if (site !== null && site.instruction.address === call) sites.push(site);
      }
    }
  }
  return sites;
}

/** Addresses in `area` of 5-byte instructions with this opcode whose target is the first bytes of `callee`. */
function references(reader: CodeReader, callee: FunctionRange, area: TextArea, opcode: number): bigint[] {
  const found: bigint[] = [];
  // endbr64 or an ftrace site may be skipped by a direct call: allow the first 16 bytes.
  const slack = Math.min(16, Number(callee.end - callee.start));
  for (let offset = 0; offset < area.size; offset += CHUNK) {
    const base = area.start + BigInt(offset);
    const length = Math.min(CHUNK + 4, area.size - offset);
    const bytes = reader.memory.scan?.(base, length) ?? reader.memory.readSparse(base, length).bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const wanted = Number(callee.start - base);
    const last = Math.min(CHUNK, bytes.length - 4);
    for (let index = bytes.indexOf(opcode); index >= 0 && index < last; index = bytes.indexOf(opcode, index + 1)) {
      const target = index + 5 + view.getInt32(index + 1, true) - wanted;
      if (target < 0 || target >= slack) continue;
      const at = base + BigInt(index);
      // Not passed over but used: see AddressSpace.scan.
      if (reader.memory.read(at, 5) !== null) found.push(at);
    }
  }
  return found;
}
