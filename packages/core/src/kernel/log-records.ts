import { decodeUtf8 } from "../memory/utf8.ts";
import { vmcoreOffset, vmcoreSize } from "../symbols/vmcoreinfo.ts";
import { type KernelContext, kernelSymbol } from "./context.ts";
import type { LogRecord } from "./kernel.ts";
import { callerName } from "./log-ring.ts";

/** log_buf_len= stops at 2^31. */
const MAX_BUFFER = 2 ** 31;
/** A record is at least its header: bounds the walk together with the buffer's length. */
const MIN_HEADER = 16;

/**
 * The buffer of variable-length records, 3.5 to 5.9: `struct printk_log` {u64 ts_nsec; u16 len; u16 text_len;
 * u16 dict_len; u8 facility; u8 flags:5, level:3; u32 caller_id (5.1, with CONFIG_PRINTK_CALLER)}, then the text.
 * A length of 0 sends the reader back to the start. Null where there is no such buffer.
 */
export function readRecordBuffer(context: KernelContext): LogRecord[] | null {
  const { memory } = context;
  const pointer = kernelSymbol(context, "log_buf");
  const lengthAt = kernelSymbol(context, "log_buf_len");
  const firstAt = kernelSymbol(context, "log_first_idx");
  const nextAt = kernelSymbol(context, "log_next_idx");
  if (pointer === null || lengthAt === null || firstAt === null || nextAt === null) return null;
  const buffer = memory.u64(pointer);
  const length = memory.u32(lengthAt);
  const first = memory.u32(firstAt);
  const next = memory.u32(nextAt);
  if (buffer === null || length === null || first === null || next === null) return null;
  if (length > MAX_BUFFER || first >= length || next > length) return null;

  const info = context.vmcoreinfo;
  const headerSize = Math.max(MIN_HEADER, vmcoreSize(info, "printk_log") ?? MIN_HEADER);
  if (headerSize > 64) return null;
  const at = {
    timestamp: vmcoreOffset(info, "printk_log.ts_nsec") ?? 0,
    length: vmcoreOffset(info, "printk_log.len") ?? 8,
    textLength: vmcoreOffset(info, "printk_log.text_len") ?? 10,
  };
  const records: LogRecord[] = [];
  let index = first;
  let wrapped = first < next;
  for (let steps = 0; steps <= length / MIN_HEADER; steps++) {
    if (index === next && wrapped) break;
    const address = buffer + BigInt(index);
    const recordLength = memory.u16(address + BigInt(at.length));
    if (recordLength === null) break;
    if (recordLength === 0) {
      if (wrapped) break;
      wrapped = true;
      index = 0;
      continue;
    }
    if (recordLength < headerSize || index + recordLength > length) break;
    const timestamp = memory.u64(address + BigInt(at.timestamp));
    const textLength = memory.u16(address + BigInt(at.textLength)) ?? 0;
    const level = memory.u8(address + BigInt(at.textLength + 5));
    const text = memory.read(address + BigInt(headerSize), Math.min(textLength, recordLength - headerSize));
    if (timestamp !== null && level !== null && text !== null) {
      const caller = headerSize >= 20 ? memory.u32(address + 16n) : null;
      records.push({
        timestamp,
        level: level >> 5,
        text: decodeUtf8(text),
        caller: caller === null ? null : callerName(caller),
      });
    }
    index += recordLength;
  }
  return records;
}
