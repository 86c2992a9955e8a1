import { describe, expect, it } from "vitest";
import { lastWords } from "./last-words.ts";

describe("lastWords", () => {
  it.each([
    ["", null],
    ["\n \n", null],
    ["Segmentation fault\n", "Segmentation fault"],
    ["Traceback:\n  File x, line 1\nException: Key has no value\n", "Exception: Key has no value"],
    [
      "crash: vmlinux and vmcore do not match!\n\nUsage:\n\nEnter help for details.\n",
      "crash: vmlinux and vmcore do not match!",
    ],
    ["bt: bad offset: x\n\n    FILE: memory.c  LINE: 1\n\n[crash] error trace: 1\n", "bt: bad offset: x"],
    ["error: no such file\nwarning: missing symbols\n", "error: no such file"],
  ])("of %j are %j", (text, words) => expect(lastWords(text)).toBe(words));
});
