/**
 * Who else points into a range of a stack: data of the kernel and its modules, per-CPU data, objects in slab pages. A
 * pointer that is kept after its frame is gone is how another context writes into whatever lives there now.
 */
import type { Kernel } from "../kernel/kernel.ts";

export interface Holder {
  /** Where the pointer lies. */
  readonly at: bigint;
  readonly pointer: bigint;
  /** The object it lies in: from where words are looked at, to one past them. */
  readonly low: bigint;
  readonly high: bigint;
  /** For a sentence: "exchange+0x30 [vandal]", "an object of the slab cache kmalloc-128". */
  readonly text: string;
  readonly module: string | null;
}

/** Bytes that are gone through at once. */
const CHUNK = 1 << 20;
/** Of static data. */
const MAX_STATIC = 64 << 20;
/** More holders than these say nothing. */
const MAX_HOLDERS = 64;
/** An object's words on both sides of a pointer, where its extent is not known. */
const AROUND = 256n;

interface Area {
  readonly start: bigint;
  readonly size: number;
  readonly module: string | null;
}

/** The writable data of the modules and of the kernel itself, and the per-CPU areas. */
function* staticAreas(kernel: Kernel): Generator<Area> {
  const { symbols } = kernel;
  for (const module of symbols.modules) {
    for (const area of module.areas) {
      if (!area.text && area.size <= MAX_STATIC) yield { start: area.start, size: area.size, module: module.name };
    }
  }
  const between = (from: string, to: string): Area[] => {
    const start = symbols.byName(from, null)?.address;
    const end = symbols.byName(to, null)?.address;
    if (start === undefined || end === undefined || end <= start) return [];
    return [{ start, size: Math.min(MAX_STATIC, Number(end - start)), module: null }];
  };
  yield* between("_sdata", "_edata");
  yield* between("__bss_start", "__bss_stop");
  const perCpu = between("__per_cpu_start", "__per_cpu_end")[0];
  if (perCpu === undefined) return;
  for (const cpu of kernel.cpus) {
    yield { start: BigInt.asUintN(64, perCpu.start + cpu.perCpuOffset), size: perCpu.size, module: null };
  }
}

/** Addresses of the aligned words in a range of memory that point into [low, high). */
function* pointersIn(
  kernel: Kernel,
  area: Area,
  low: bigint,
  high: bigint,
): Generator<{ at: bigint; pointer: bigint }> {
  const upper = Number(low >> 32n);
  const [from, to] = [Number(low & 0xffffffffn), Number((high - 1n) & 0xffffffffn)];
  // A stack lies within 4 GiB of address space, but may lie across a border of it: then only the exact test counts.
  const oneHalf = low >> 32n === (high - 1n) >> 32n;
  for (let done = 0; done < area.size; done += CHUNK) {
    const at = area.start + BigInt(done);
    const size = Math.min(CHUNK, area.size - done);
    const bytes = kernel.memory.scan?.(at, size) ?? kernel.memory.readSparse(at, size).bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = Number(-at & 7n); offset + 8 <= size; offset += 8) {
      if (oneHalf) {
        if (view.getUint32(offset + 4, true) !== upper) continue;
        const lower = view.getUint32(offset, true);
        if (lower < from || lower > to) continue;
      }
      const pointer = view.getBigUint64(offset, true);
      if (pointer >= low && pointer < high) yield { at: at + BigInt(offset), pointer };
    }
  }
}

/** Pointers in static data into [low, high), in the order of the areas: modules first. */
export function staticHolders(kernel: Kernel, low: bigint, high: bigint): Holder[] {
  const holders: Holder[] = [];
  for (const area of staticAreas(kernel)) {
    for (const { at, pointer } of pointersIn(kernel, area, low, high)) {
      // What is found is read again, so that a memory that keeps account knows of it.
      if (kernel.memory.u64(at) !== pointer) continue;
      const named = kernel.symbols.byAddress(at);
      const inside = named !== null && named.offset < 65536;
      const start = inside ? named.symbol.address : at - AROUND;
      const offset = inside && named.offset > 0 ? `+0x${named.offset.toString(16)}` : "";
      const where = inside ? `${named.symbol.name}${offset}` : `0x${at.toString(16)}`;
      holders.push({
        at,
        pointer,
        low: start > at - AROUND * 4n ? start : at - AROUND * 4n,
        high: at + AROUND,
        text: area.module === null ? where : `${where} [${area.module}]`,
        module: area.module,
      });
      if (holders.length >= MAX_HOLDERS) return holders;
    }
  }
  return holders;
}
