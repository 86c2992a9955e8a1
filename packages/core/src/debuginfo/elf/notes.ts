import { viewOf } from "../../bytes/read.ts";

/** Elf64_Nhdr: n_namesz, n_descsz, n_type, each u32; name and description padded to 4 bytes. */
const NHDR_SIZE = 12;
const NT_GNU_BUILD_ID = 3;
const LONGEST_BUILD_ID = 64;

/** The GNU build-id among ELF notes, or null. */
export function buildIdOf(notes: Uint8Array): Uint8Array | null {
  const view = viewOf(notes);
  for (let at = 0; at + NHDR_SIZE <= notes.length; ) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const name = at + NHDR_SIZE;
    const description = name + Math.ceil(nameSize / 4) * 4;
    if (description + size > notes.length) return null;
    const isGnu =
      nameSize === 4 &&
      notes[name] === 0x47 &&
      notes[name + 1] === 0x4e &&
      notes[name + 2] === 0x55 &&
      notes[name + 3] === 0;
    if (isGnu && type === NT_GNU_BUILD_ID && size > 0 && size <= LONGEST_BUILD_ID) {
      return notes.slice(description, description + size);
    }
    at = description + Math.ceil(size / 4) * 4;
  }
  return null;
}

/** A build-id in hexadecimal, as tools and paths write it. */
export function hexBuildId(id: Uint8Array): string {
  return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
