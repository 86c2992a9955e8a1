import { decodeUtf8 } from "../memory/utf8.ts";
import { vmcoreOffset, vmcoreSize } from "../symbols/vmcoreinfo.ts";
import { type KernelContext, kernelSymbol } from "./context.ts";
import type { LogRecord } from "./kernel.ts";

/** `state_var` keeps the descriptor's state in its two highest bits (kernel/printk/printk_ringbuffer.h). */
const STATE_SHIFT = 62n;
const ID_MASK = (1n << STATE_SHIFT) - 1n;
const COMMITTED = 1n;
const FINALIZED = 2n;

/** CONFIG_LOG_BUF_SHIFT and log_buf_len= stop at 2^31 bytes of text; a descriptor stands for 32 of them. */
const MAX_COUNT_BITS = 26;
const MAX_SIZE_BITS = 31;
/** Each text block begins with the id of its descriptor. */
const BLOCK_HEADER = 8n;
const LOG_TEXT_MAX = 65536;

/**
 * Reads the `printk_ringbuffer` that `prb` points at. VMCOREINFO carries every offset (f35efc78add6), so no types are
 * needed; without VMCOREINFO they come from BTF. Null where there is no such buffer; unreadable records are left out.
 */
export function readRingBuffer(context: KernelContext): LogRecord[] | null {
  const pointer = kernelSymbol(context, "prb");
  const ring = pointer === null ? null : context.memory.u64(pointer);
  if (ring === null) return null;
  const { memory } = context;
  const at = (struct: string, member: string): bigint => BigInt(offsetOf(context, struct, member) ?? 0);
  const descRing = ring + at("printk_ringbuffer", "desc_ring");
  const textRing = ring + at("printk_ringbuffer", "text_data_ring");
  const countBits = memory.u32(descRing + at("prb_desc_ring", "count_bits"));
  const descs = memory.u64(descRing + at("prb_desc_ring", "descs"));
  const infos = memory.u64(descRing + at("prb_desc_ring", "infos"));
  const headId = memory.u64(descRing + at("prb_desc_ring", "head_id"));
  const tailId = memory.u64(descRing + at("prb_desc_ring", "tail_id"));
  const sizeBits = memory.u32(textRing + at("prb_data_ring", "size_bits"));
  const data = memory.u64(textRing + at("prb_data_ring", "data"));
  const descSize = sizeOf(context, "prb_desc");
  const infoSize = sizeOf(context, "printk_info");
  if (countBits === null || descs === null || infos === null || headId === null || tailId === null) return null;
  if (sizeBits === null || data === null || descSize === null || infoSize === null) return null;
  if (countBits > MAX_COUNT_BITS || sizeBits > MAX_SIZE_BITS || descSize > 256 || infoSize > 1024) return null;

  const count = 1n << BigInt(countBits);
  const stateVar = at("prb_desc", "state_var");
  const lpos = at("prb_desc", "text_blk_lpos");
  const beginAt = lpos + at("prb_data_blk_lpos", "begin");
  const nextAt = lpos + at("prb_data_blk_lpos", "next");
  const timestampAt = at("printk_info", "ts_nsec");
  const textLengthAt = at("printk_info", "text_len");
  const callerAt = at("printk_info", "caller_id");

  const records: LogRecord[] = [];
  // Ids run from the tail to the head and wrap at 62 bits; the buffer holds no more than `count` of them.
  const used = (headId - tailId + 1n) & ID_MASK;
  const total = used < count ? used : count;
  for (let i = 0n; i < total; i++) {
    const id = (tailId + i) & ID_MASK;
    const index = id & (count - 1n);
    const desc = descs + index * BigInt(descSize);
    const state = memory.u64(desc + stateVar);
    if (state === null || (state & ID_MASK) !== id) continue;
    // Reserved records are still being written, reusable ones have been given up.
    if (state >> STATE_SHIFT !== COMMITTED && state >> STATE_SHIFT !== FINALIZED) continue;
    const info = infos + index * BigInt(infoSize);
    const begin = memory.u64(desc + beginAt);
    const next = memory.u64(desc + nextAt);
    const timestamp = memory.u64(info + timestampAt);
    const textLength = memory.u16(info + textLengthAt);
    // facility, then flags (5 bits) and level (3 bits), follow text_len in one byte each.
    const level = memory.u8(info + textLengthAt + 3n);
    if (begin === null || next === null || timestamp === null || textLength === null || level === null) continue;
    const caller = memory.u32(info + callerAt);
    const text = readBlock(context, data, sizeBits, begin, next, textLength);
    if (text === null) continue;
    records.push({ timestamp, level: level >> 5, text, caller: caller === null ? null : callerName(caller) });
  }
  return records;
}

/** Text of the block [begin, next): logical positions, whose low bits are the place in the ring. */
function readBlock(
  context: KernelContext,
  data: bigint,
  sizeBits: number,
  begin: bigint,
  next: bigint,
  textLength: number,
): string | null {
  // A record without text has the lowest bit of both positions set (FAILED_LPOS 1, EMPTY_LINE_LPOS 3).
  if ((begin & 1n) === 1n && (next & 1n) === 1n) return begin === 3n && next === 3n ? "" : null;
  const size = 1n << BigInt(sizeBits);
  const mask = size - 1n;
  const wraps = begin >> BigInt(sizeBits) !== next >> BigInt(sizeBits) && (next & mask) !== 0n;
  // A block that would not fit before the end is stored whole at the start of the ring.
  const start = wraps ? 0n : begin & mask;
  const room = (wraps ? next & mask : (next - begin) & mask) - BLOCK_HEADER;
  if (room < 0n || start + BLOCK_HEADER > size) return null;
  const length = Math.min(textLength, Number(room), LOG_TEXT_MAX);
  const bytes = context.memory.read(data + start + BLOCK_HEADER, length);
  return bytes === null ? null : decodeUtf8(bytes);
}

/** `caller_id`: the highest bit says that it is a CPU (printk_caller_id, kernel/printk/printk.c). */
export function callerName(id: number): string {
  return (id & 0x80000000) !== 0 ? `C${id & 0x7fffffff}` : `T${id}`;
}

function offsetOf(context: KernelContext, struct: string, member: string): number | null {
  return (
    vmcoreOffset(context.vmcoreinfo, `${struct}.${member}`) ?? context.types.member(struct, member)?.offset ?? null
  );
}

function sizeOf(context: KernelContext, struct: string): number | null {
  const size = vmcoreSize(context.vmcoreinfo, struct) ?? context.types.sizeOf(struct);
  return size === null || size <= 0 ? null : size;
}
