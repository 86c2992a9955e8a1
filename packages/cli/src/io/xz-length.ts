/** Offsets and sizes of the .xz file format, version 1.2: https://tukaani.org/xz/xz-file-format.txt, sections 2.1.2 and 4. */
const HEADER = 12;
const FOOTER = 12;
/** A module is packed in one block; a large one in a few. */
const MOST_BLOCKS = 1 << 16;

/** The unpacked length of an .xz file of one stream, by its index; null where it has none that makes sense. */
export function xzLength(bytes: Uint8Array): number | null {
  if (bytes.length < HEADER + FOOTER || bytes.at(-2) !== 0x59 || bytes.at(-1) !== 0x5a) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - FOOTER;
  let at = end - (view.getUint32(end + 4, true) + 1) * 4;
  if (at < HEADER || bytes[at] !== 0) return null;
  at++;
  const number = (): number => {
    let value = 0;
    for (let shift = 1; at < end; shift *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  const blocks = number();
  if (blocks > MOST_BLOCKS) return null;
  let total = 0;
  for (let i = 0; i < blocks; i++) {
    number();
    total += number();
  }
  return Number.isSafeInteger(total) ? total : null;
}
