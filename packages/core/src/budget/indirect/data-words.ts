/**
 * Addresses in a program's data: from relocations where there are any, else every aligned word that holds one. Lists of
 * functions that nobody calls through (where ftrace patches, where kprobes may not go) are left out.
 */
import type { Program, ProgramArea } from "../../program/program.ts";
import type { SymbolTable } from "../../symbols/symbol-table.ts";
import { low32 } from "../function-table.ts";
import { GrowingColumn } from "../growing.ts";
import { firstAfter } from "../sorted.ts";

export interface DataWords {
  /** Places, ascending (low 32 bits, signed). */
  readonly place: Int32Array;
  /** The address that stands there. */
  readonly target: Int32Array;
}

/** include/asm-generic/vmlinux.lds.h: MCOUNT_REC, KPROBE_BLACKLIST, ERROR_INJECT_WHITELIST, EXCEPTION_TABLE. */
const NOT_CALLED: readonly (readonly [string, string])[] = [
  ["__start_mcount_loc", "__stop_mcount_loc"],
  ["__start_kprobe_blacklist", "__stop_kprobe_blacklist"],
  ["__start_error_injection_whitelist", "__stop_error_injection_whitelist"],
  ["__start___ex_table", "__stop___ex_table"],
];

const CHUNK = 1 << 20;
export function dataWords(program: Program): DataWords {
  const skipped = rangesNotCalled(program.symbols);
  const isTarget = areaTest([...program.text, ...program.data]);
  const places = new GrowingColumn();
  const targets = new GrowingColumn();
  let isSorted = true;
  let last = -Infinity;
  const add = (place: number, target: number): void => {
    for (let n = 0; n < skipped.length; n++) if (place >= skipped[n]!.start && place < skipped[n]!.end) return;
    if (place < last) isSorted = false;
    last = place;
    places.push(place);
    targets.push(target);
  };
  if (program.relocations !== null) {
    const { count, place, target } = program.relocations;
    const inData = areaTest(program.data);
    for (let n = 0; n < count; n++) if (inData(place[n]!) && isTarget(target[n]!)) add(place[n]!, target[n]!);
  }
  // Modules out of a folder have relocations of their own in the same columns; dumps have none at all.
  else for (const area of program.data) scan(program, area, isTarget, add);
  if (isSorted) return { place: places.values.slice(), target: targets.values.slice() };
  const order = Array.from(places.values, (_, n) => n).sort((a, b) => places.at(a) - places.at(b));
  return { place: Int32Array.from(order, (n) => places.at(n)), target: Int32Array.from(order, (n) => targets.at(n)) };
}

function rangesNotCalled(symbols: SymbolTable): { readonly start: number; readonly end: number }[] {
  return NOT_CALLED.flatMap(([first, last]) => {
    const start = symbols.byName(first, null)?.address;
    const end = symbols.byName(last, null)?.address;
    return start === undefined || end === undefined ? [] : [{ start: low32(start), end: low32(end) }];
  });
}

function scan(
  program: Program,
  area: ProgramArea,
  isTarget: (address: number) => boolean,
  add: (place: number, target: number) => void,
): void {
  // One CPU's copy of the per-CPU section, in memory that was allocated: its words are called by the section's addresses.
  const isCopy = !inImage(area);
  const section = program.symbols.byName("__per_cpu_start", null)?.address ?? 0n;
  const shift = isCopy ? low32(section) - low32(area.start) : 0;
  const first = area.start + ((8n - (area.start & 7n)) & 7n);
  for (let at = first; at + 8n <= area.end; at += BigInt(CHUNK)) {
    const length = Math.min(CHUNK, Number(area.end - at)) & ~7;
    const bytes = program.memory.scan?.(at, length) ?? program.memory.readSparse(at, length).bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const base = low32(at) + shift;
    for (let offset = 0; offset < length; offset += 8) {
      // Addresses of the image and of modules: all ones above, in the top 2 GiB.
      if (view.getInt32(offset + 4, true) !== -1) continue;
      const target = view.getInt32(offset, true);
      if (target < 0 && isTarget(target)) add(base + offset, target);
    }
  }
}

/** Kernel and modules lie in the top 2 GiB; a file's per-CPU section has addresses from zero. */
function inImage(area: ProgramArea): boolean {
  return area.start >= 0xffff_ffff_8000_0000n || area.end < 0x8000_0000n;
}

/** Does an address lie in one of the areas? */
export function areaTest(areas: readonly ProgramArea[]): (address: number) => boolean {
  const sorted = areas
    .filter(inImage)
    .map((area) => ({ start: low32(area.start), end: low32(area.end) }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start);
  const starts = Int32Array.from(sorted, (area) => area.start);
  const ends = Int32Array.from(sorted, (area) => area.end);
  return (address) => {
    const behind = firstAfter(starts, address);
    return behind > 0 && address < ends[behind - 1]!;
  };
}
