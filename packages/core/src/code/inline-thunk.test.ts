import { expect, test } from "vitest";
import { tinyKernel } from "../testing/tiny-kernel.ts";
import { callSitesIn } from "./call-site.ts";
import { CodeReader } from "./code-reader.ts";

/** As CALL_NOSPEC builds it: jmp 1f; 2: call 3f; 4: pause; lfence; jmp 4b; 3: mov %rbp,(%rsp); ret; 1: call 2b. */
const RETPOLINE = "eb11 e807000000 f390 0fae e8 ebf9 48892c24 c3 e8eaffffff c3";
const { kernel, at } = tinyKernel({
  functions: [
    { name: "ret_from_fork", code: RETPOLINE.replaceAll(" ", "") },
    // call +0, to a call of something else: no thunk
    { name: "chained", code: "e801000000 c3 e8f5ffffff c3" },
    { name: "plain", code: "e8fbffffff c3" },
  ],
});
const reader = new CodeReader(kernel.memory, kernel.symbols);
const targets = (name: string) => callSitesIn(reader, at(name)).map(({ target }) => target);

test("a retpoline in place is a call through a pointer", () => {
  expect(targets("ret_from_fork").at(-1)).toBeNull();
});

test.each([
  ["a call of another call", "chained", [6, 0]],
  ["recursion", "plain", [0]],
])("%s is what it is", (_what, name, offsets) => {
  expect(targets(name)).toEqual(offsets.map((offset) => at(name, offset)));
});
