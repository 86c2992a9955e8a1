import { type Diagnosis, framesMap, type StackMap, type StackWord } from "@spillway/core";

/** A word that is nothing in particular. */
export function wordOf(address: bigint, more: Partial<StackWord> = {}): StackWord {
  return {
    address: `0x${address.toString(16)}`,
    count: 1,
    value: "0x4142434445464748",
    kind: "content",
    label: "",
    why: null,
    state: null,
    expected: null,
    damage: null,
    source: false,
    variables: [],
    code: [],
    evidence: [],
    ...more,
  };
}

/** A map of a diagnosis's frames, with a word in each: what it says can be set. */
export function mapOf(
  diagnosis: Diagnosis,
  word: (address: bigint, index: number) => Partial<StackWord> = () => ({}),
): StackMap {
  const map = framesMap(diagnosis)!;
  const stacks = map.stacks.map((stack) => ({
    ...stack,
    regions: stack.regions.map((region, index) => {
      const address = BigInt(region.start);
      return region.bytes === 0 ? region : { ...region, words: [wordOf(address, word(address, index))] };
    }),
  }));
  return { stacks, code: { "0xffffffff81000000": "push %rbx" } };
}
