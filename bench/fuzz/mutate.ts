import type { Random } from "./random.ts";

/** What length and offset fields go wrong with. */
const INTERESTING = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0xfffn,
  0x1000n,
  0x1001n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x000f_ffff_ffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_f000n,
  0xffff_ffff_ffff_ffffn,
];

/** A copy with one to six things wrong. Headers are small and pages large, so most hits go to where something is. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = original.slice();
  for (let times = 1 + random.below(6); times > 0 && bytes.length > 0; times--) {
    const at = place(bytes, random);
    switch (random.below(9)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
      case 3:
      case 4:
        putInteger(bytes, at, random);
        break;
      case 5:
        bytes.fill(random.pick([0, 0xff]), at, at + 1 + random.below(64));
        break;
      case 6:
        bytes.copyWithin(at, place(bytes, random), place(bytes, random));
        break;
      case 7:
        bytes = bytes.slice(0, random.below(4) === 0 ? at : bytes.length - random.below(200));
        break;
      default:
        // A neighbouring value, as from an off-by-one.
        bytes[at] = bytes[at]! + random.pick([1, -1, 8, -8]);
    }
  }
  return bytes;
}

function place(bytes: Uint8Array, random: Random): number {
  const kind = random.below(4);
  if (kind === 0) return random.below(bytes.length);
  // Some byte that is not zero, or near one: fields in use, not the padding between them.
  let at = random.below(kind === 1 ? bytes.length : Math.min(bytes.length, 20_000));
  for (let i = 0; i < 4096 && bytes[at] === 0; i++) at = (at + 1) % bytes.length;
  return random.below(2) === 0 ? at : at - (at % 8);
}

function putInteger(bytes: Uint8Array, at: number, random: Random): void {
  const value = random.pick(INTERESTING);
  const size = random.pick([1, 2, 4, 8]);
  const aligned = at - (at % size);
  const little = random.below(8) !== 0;
  for (let i = 0; i < size && aligned + i < bytes.length; i++) {
    bytes[aligned + i] = Number((value >> BigInt(8 * (little ? i : size - 1 - i))) & 0xffn);
  }
}
