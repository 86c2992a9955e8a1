import { ascii } from "./memory-model.ts";

/** One ELF note: name and description padded to four bytes. */
export function makeNote(name: string, type: number, desc: Uint8Array): Uint8Array {
  const nameBytes = ascii(`${name}\0`);
  const pad = (n: number) => Math.ceil(n / 4) * 4;
  const note = new Uint8Array(12 + pad(nameBytes.length) + pad(desc.length));
  const view = new DataView(note.buffer);
  view.setUint32(0, nameBytes.length, true);
  view.setUint32(4, desc.length, true);
  view.setUint32(8, type, true);
  note.set(nameBytes, 12);
  note.set(desc, 12 + pad(nameBytes.length));
  return note;
}

/** NT_PRSTATUS of a CPU; the registers in `user_regs_struct` order are `base`, `base + 1`, ... */
export function makePrstatus(pid: number, base: bigint): Uint8Array {
  const desc = new Uint8Array(336);
  const view = new DataView(desc.buffer);
  view.setInt32(32, pid, true);
  for (let i = 0; i < 27; i++) view.setBigUint64(112 + i * 8, base + BigInt(i), true);
  return makeNote("CORE", 1, desc);
}

/** QEMU's own note: registers `base` up, control registers 0xc000 up, segment bases 0x5e6000 up. */
export function makeQemuNote(base: bigint): Uint8Array {
  const desc = new Uint8Array(440);
  const view = new DataView(desc.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(4, desc.length, true);
  for (let i = 0; i < 18; i++) view.setBigUint64(8 + i * 8, base + BigInt(i), true);
  for (let i = 0; i < 10; i++) {
    view.setUint32(152 + i * 24, 0x10 + i, true);
    view.setBigUint64(168 + i * 24, 0x5e6000n + BigInt(i), true);
  }
  for (let i = 0; i < 5; i++) view.setBigUint64(392 + i * 8, 0xc000n + BigInt(i), true);
  view.setBigUint64(432, 0x6e6000n, true);
  return makeNote("QEMU", 0, desc);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
