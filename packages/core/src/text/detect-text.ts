/** What a file or a stream holds, by its first bytes: a dump, something packed, or text. */

export type EvidenceForm = "dump" | "packed" | "text" | "other";

const DUMPS = ["KDUMP   ", "\x7fELF", "makedumpfile\0\0\0\0"];
const PACKED = ["\x1f\x8b", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd"];

/** Share of a text's bytes that may be no text: noise of a serial line, and what a reset leaves. */
const NOISE = 1 / 16;

/**
 * Tells what begins with `head`. Some kibibytes are enough; text may hold noise, runs of zeros (as what is left of a log on
 * a disk after a crash) and any 8-bit encoding.
 */
export function detectEvidence(head: Uint8Array): EvidenceForm {
  if (DUMPS.some((magic) => begins(head, magic))) return "dump";
  if (PACKED.some((magic) => begins(head, magic))) return "packed";
  let text = 0;
  let zeros = 0;
  let odd = 0;
  for (const byte of head) {
    if (byte === 0) zeros++;
    else if (byte >= 0x20 ? byte !== 0x7f : byte === 9 || byte === 10 || byte === 13 || byte === 27 || byte === 12)
      text++;
    else odd++;
  }
  // UTF-16, as some shells of other systems redirect: every second byte is zero.
  if (begins(head, "\xff\xfe") || begins(head, "\xfe\xff")) return "text";
  return text > 0 && odd <= text * NOISE && zeros <= text * 4 ? "text" : "other";
}

function begins(bytes: Uint8Array, magic: string): boolean {
  if (bytes.length < magic.length) return false;
  for (let index = 0; index < magic.length; index++) if (bytes[index] !== magic.charCodeAt(index)) return false;
  return true;
}
