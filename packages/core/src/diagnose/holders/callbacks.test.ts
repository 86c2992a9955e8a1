import { describe, expect, it } from "vitest";
import { TEXT, tinyKernel } from "../../testing/tiny-kernel.ts";
import { callbacksIn, callGuesses } from "./callbacks.ts";
import { CALLBACK_LAYOUTS, typesOf } from "./holders.fixture.ts";

const OBJECT = 0xffffffffc0000000n;
const LIST = 0xffffffffc0002000n;
const POISON = 0xdead000000000122n;
const FUNCTIONS = [
  { name: "expire", code: "c3909090" },
  { name: "other", code: "c3" },
];

function look(words: readonly bigint[], around = 0n) {
  const size = BigInt(words.length * 8);
  const { kernel } = tinyKernel({
    functions: FUNCTIONS,
    types: typesOf(CALLBACK_LAYOUTS),
    data: [
      { name: "object", address: OBJECT, words },
      { name: "bucket", address: LIST, words: [OBJECT, OBJECT + 8n] },
    ],
  });
  const callbacks = callbacksIn(kernel, OBJECT, OBJECT + size, OBJECT + around);
  return { kernel, callbacks, size };
}

describe("function pointers in an object", () => {
  it.each<[string, bigint[], string | null]>([
    ["a timer that has expired", [POISON, 0n, 5n, TEXT, 0n], "timer"],
    ["a timer that is pending", [0n, LIST, 5n, TEXT, 0n], "timer"],
    ["a work item on no list", [1n, OBJECT + 8n, OBJECT + 8n, TEXT], "work item"],
    ["a work item on a list", [1n, LIST, LIST, TEXT], "work item"],
    ["a function among words that say nothing", [7n, 7n, 7n, TEXT, 7n], null],
    ["a function at the start, with no room before it", [TEXT, 0n, 0n, 0n], null],
  ])("%s", (_what, words, role) => {
    const { callbacks } = look(words);
    expect(callbacks).toHaveLength(1);
    expect(callbacks[0]).toMatchObject({ role, function: { name: "expire" } });
  });

  it("are addresses of functions, not return addresses", () => {
    expect(look([TEXT + 1n, TEXT + 0x1000n, 0n]).callbacks).toEqual([]);
  });

  it("come nearest to the pointer first", () => {
    const { callbacks } = look([TEXT, 0n, 0n, 0n, 0n, TEXT + 4n], 48n);
    expect(callbacks.map((one) => one.function.name)).toEqual(["other", "expire"]);
  });

  it("are called with the struct they are a member of, the object, or what is kept beside them", () => {
    const { kernel, callbacks, size } = look([0n, 0n, POISON, 0n, 5n, TEXT, LIST]);
    const guesses = callGuesses(kernel, callbacks[0]!, OBJECT, OBJECT + size);
    expect(guesses[0]).toEqual({ role: "timer", args: new Map([["rdi", OBJECT + 16n]]) });
    expect(guesses.map((guess) => [...guess.args][0])).toContainEqual(["rdi", OBJECT]);
    expect(guesses.map((guess) => [...guess.args][0])).toContainEqual(["rsi", LIST]);
    const keys = guesses.map((guess) => [...guess.args].join());
    expect(new Set(keys).size).toBe(keys.length);
  });
});
