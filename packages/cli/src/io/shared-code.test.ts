import { functionWords } from "@spillway/core";
import { describe, expect, it } from "vitest";
import { BlockColumns } from "../../../core/src/budget/indirect/block-columns.ts";
import { CodeColumns } from "../../../core/src/code/code-columns.ts";
import { numbered, numberOf, sendAside } from "./shared-code.fixture.ts";
import { type CodeLink, codeLink, ReceivedFunctions, SentFunctions } from "./shared-code.ts";

/** Room for two functions: what a chunk has of its own, and each with its number and length in front. */
const CHUNK_WORDS = 1 + 2 * (2 + functionWords(numbered(0)));

/** What the functions tell; null for one that is not there. */
function takeAll(received: ReceivedFunctions, count: number, before = () => {}): (number | null)[] {
  const into = { code: new CodeColumns(), blocks: new BlockColumns() };
  return Array.from({ length: count }, (_, index) => {
    before();
    return received.take(index, into) ? numberOf(into) : null;
  });
}

function threads(chunks: number): { link: CodeLink; sent: SentFunctions; received: ReceivedFunctions } {
  const link = codeLink(chunks, CHUNK_WORDS);
  return { link, sent: new SentFunctions(link), received: new ReceivedFunctions(link) };
}

describe("functions from one thread to another", () => {
  it.each<[string, readonly number[], (number | null)[]]>([
    ["a chunk that is full goes with the next function, the rest when it is flushed", [0, 1, 2], [0, 1, 2, null]],
    ["what was left out is not there, and is not waited for", [1, 4], [null, 1, null, null, 4]],
    ["none", [], [null]],
  ])("%s", (_what, numbers, taken) => {
    const { sent, received } = threads(4);
    for (const number of numbers) sent.receive(number, numbered(number));
    sent.flush();
    expect(takeAll(received, taken.length)).toEqual(taken);
  });

  it("are there chunk by chunk", () => {
    const { sent, received } = threads(4);
    for (let number = 0; number < 3; number++) sent.receive(number, numbered(number));
    expect(takeAll(received, 3)).toEqual([0, 1, null]);
  });

  it("one that is larger than a chunk is left out", () => {
    const { sent, received } = threads(4);
    sent.receive(0, numbered(0));
    sent.receive(1, numbered(1, 1000));
    sent.receive(2, numbered(2));
    sent.flush();
    expect(takeAll(received, 3)).toEqual([0, null, 2]);
  });

  it("those that were asked for are not wanted any more, and are skipped where they are on their way", () => {
    const { sent, received } = threads(4);
    sent.receive(0, numbered(0));
    sent.receive(1, numbered(1));
    const into = { code: new CodeColumns(), blocks: new BlockColumns() };
    expect(received.take(1, into)).toBe(false);
    expect([0, 1, 2].map((number) => sent.wants(number))).toEqual([false, false, true]);
    sent.receive(2, numbered(2));
    sent.flush();
    expect(received.take(2, into)).toBe(true);
    expect(numberOf(into)).toBe(2);
  });
});

describe("a thread that sends more than there is room for", () => {
  it("waits, and sends all of it in order", async () => {
    const { link, received } = threads(3);
    const { worker, ended } = sendAside(link, 500);
    // FILLED and GIVEN_BACK: the second thread stands still when all three chunks are full.
    while (Atomics.load(link.state, 0) < 3) Atomics.wait(ended, 0, 0, 1);
    Atomics.wait(ended, 0, 0, 20);
    expect([...link.state.subarray(0, 2), ended[0]]).toEqual([3, 0, 0]);
    const onceThere = () => {
      while (Atomics.load(ended, 0) === 0 && Atomics.load(link.state, 0) === Atomics.load(link.state, 1))
        Atomics.wait(ended, 0, 0, 1);
    };
    expect(takeAll(received, 500, onceThere)).toEqual(Array.from({ length: 500 }, (_, number) => number));
    await worker.terminate();
  });

  it("goes on without waiting where the first one has had enough", () => {
    const { link, received } = threads(3);
    const { ended } = sendAside(link, 500);
    while (Atomics.load(link.state, 0) < 3) Atomics.wait(ended, 0, 0, 1);
    received.close();
    expect(Atomics.wait(ended, 0, 0, 20_000)).not.toBe("timed-out");
  });

  it("may die in the middle: what it has sent is there, all else is not waited for", async () => {
    const { link, received } = threads(300);
    const { worker } = sendAside(link, 101, true);
    await new Promise((resolve) => worker.on("exit", resolve));
    const numbers = Array.from({ length: 110 }, (_, number) => (number < 100 ? number : null));
    expect(takeAll(received, 110)).toEqual(numbers);
  });
});
