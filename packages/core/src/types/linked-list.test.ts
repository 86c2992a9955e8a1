import { describe, expect, test } from "vitest";
import type { AddressSpace } from "../memory/address-space.ts";
import { type ListWalk, walkList } from "./linked-list.ts";

function memory(words: Readonly<Record<number, number>>): AddressSpace {
  return {
    u64: (address: bigint) => (Number(address) in words ? BigInt(words[Number(address)]!) : null),
  } as unknown as AddressSpace;
}

const walk = (words: Readonly<Record<number, number>>, options: Partial<ListWalk>) =>
  walkList(memory(words), { from: "entry", start: 0x100n, offset: 0, limit: 10, ...options });

/** A head at 0x10; list_heads 8 bytes into entries 0x100, 0x200, 0x300. */
const ring = {
  16: 0x108,
  24: 0x308,
  264: 0x208,
  272: 0x10,
  520: 0x308,
  528: 0x108,
  776: 0x10,
  784: 0x208,
};

describe("lists that end", () => {
  test.each<[string, Readonly<Record<number, number>>, Partial<ListWalk>, number[]]>([
    ["with NULL", { 256: 0x200, 512: 0 }, {}, [0x100, 0x200]],
    ["where they began", { 256: 0x200, 512: 0x100 }, {}, [0x100, 0x200]],
    ["with the second again", { 256: 0x200, 512: 0x300, 768: 0x200 }, {}, [0x100, 0x200, 0x300]],
    ["with one that points to itself", { 256: 0x200, 512: 0x200 }, {}, [0x100, 0x200]],
    ["by a link inside", { 264: 0x200, 520: 0 }, { offset: 8 }, [0x100, 0x200]],
    ["at -e", { 256: 0x200, 512: 0x300, 768: 0 }, { end: 0x300n }, [0x100, 0x200]],
    ["from a head", ring, { from: "head", start: 0x10n, offset: 8, checkBack: true }, [0x100, 0x200, 0x300]],
    [
      "backwards",
      ring,
      { from: "head", start: 0x10n, offset: 8, reverse: true, checkBack: true },
      [0x300, 0x200, 0x100],
    ],
    ["from a member", ring, { from: "member", offset: 8 }, [0x100, 0x200, 0x300, 0x8]],
    [
      "from a member in another struct",
      ring,
      { from: "member", start: 0n, startOffset: 0x10, offset: 8 },
      [0, 0x100, 0x200, 0x300],
    ],
    ["empty", { 16: 0x10 }, { from: "head", start: 0x10n }, []],
  ])("%s", (_what, words, options, entries) => {
    const list = walk(words, options);
    expect(list.entries.map(Number)).toEqual(entries);
    expect(list.broken).toBeNull();
    expect(list.mismatch).toBeNull();
  });
});

describe("lists that do not", () => {
  test.each<[string, Readonly<Record<number, number>>, Partial<ListWalk>, number[], string, number]>([
    ["an unreadable entry", { 256: 0x200 }, {}, [0x100], "unreadable", 0x200],
    ["an unreadable start", {}, {}, [0x100], "unreadable", 0x100],
    [
      "a cycle further in",
      { 256: 0x200, 512: 0x300, 768: 0x400, 1024: 0x300 },
      {},
      [0x100, 0x200, 0x300, 0x400],
      "duplicate",
      0x300,
    ],
    ["NULL in a ring", { ...ring, 520: 0 }, { from: "head", start: 0x10n, offset: 8 }, [0x100, 0x200], "null", 0],
    [
      "a cycle without the head",
      { ...ring, 776: 0x208 },
      { from: "head", start: 0x10n, offset: 8 },
      [0x100, 0x200, 0x300],
      "duplicate",
      0x208,
    ],
    [
      "more entries than asked for",
      ring,
      { from: "head", start: 0x10n, offset: 8, limit: 2 },
      [0x100, 0x200],
      "limit",
      0x308,
    ],
  ])("%s", (_what, words, options, entries, reason, address) => {
    const list = walk(words, options);
    expect(list.entries.map(Number)).toEqual(entries);
    expect(list.broken).toMatchObject({ reason, address: BigInt(address) });
  });

  test("a neighbour that does not point back is told, and the walk goes on", () => {
    const list = walk({ ...ring, 528: 0x666 }, { from: "head", start: 0x10n, offset: 8, checkBack: true });
    expect(list.entries).toHaveLength(3);
    expect(list.mismatch).toEqual({ link: 0x108n, neighbour: 0x208n, back: 0x666n });
  });
});
