/** How many bytes each frame takes of its stack. */
import type { Frame } from "../unwind/backtrace.ts";

/**
 * Bytes from a frame's RSP to its CFA, its return address included; null where the frame's end is not known. The frames of
 * one stack lie end to end, so these add up to the depth.
 */
export function frameBytes(frame: Frame): number | null {
  if (frame.cfa === null || frame.cfa < frame.sp) return null;
  const bytes = frame.cfa - frame.sp;
  // A frame that ends on another stack (interrupt entry) has no size that means anything.
  if (frame.stack !== null && (frame.cfa > frame.stack.high || frame.cfa < frame.stack.low)) return null;
  return bytes > 1n << 30n ? null : Number(bytes);
}
