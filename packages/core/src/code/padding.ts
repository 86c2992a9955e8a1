/** Padding behind functions, of which kernels have some that is longer than all functions together. */

const INT3 = 0xcc;
/** Bytes of a run of padding that are kept: alignment leaves no more, and who looks at what follows an instruction sees what it is. */
const KEPT = 64;

/**
 * Code without most of the `int3` that it ends with. The last function before an aligned place has all that lies in between: the
 * half of a return thunk that has to lie 2 MiB from the other (`srso_alias_safe_ret`, fb3bd914b3ec, 6.5) is followed by a megabyte.
 * @returns the bytes themselves where there is little of it
 */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === INT3) end--;
  return end + KEPT < bytes.length ? bytes.subarray(0, end + KEPT) : bytes;
}
