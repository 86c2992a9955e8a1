import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { codeSpan, escapeText, fenced } from "./escape.ts";

describe("running text", () => {
  it.each<[string, string, string]>([
    [
      "names of functions stay as they are",
      "parse_value+0xcb calls do_syscall_64",
      "parse_value+0xcb calls do_syscall_64",
    ],
    ["underscores at a word's edge", "__stack_chk_fail in _x_", "\\_\\_stack_chk_fail in \\_x\\_"],
    ["modules in brackets", "parse_value [vandal]", "parse_value [vandal]"],
    ["what could be a link", "[click](http://x)", "\\[click\\](http://x)"],
    ["what could be a picture", "![x] y", "!\\[x\\] y"],
    ["pipes, which end a cell", "a | b", "a \\| b"],
    ["emphasis and code", "*a* `b` ~c~", "\\*a\\* \\`b\\` \\~c\\~"],
    ["markup and entities", "<b>&amp;", "\\<b\\>\\&amp;"],
    ["backslashes", "a\\b", "a\\\\b"],
    ["a heading at the start", "# no", "\\# no"],
    ["a list at the start", "- no", "\\- no"],
    ["a numbered list at the start", "12. no", "12\\. no"],
    ["control characters and line ends", "a\u001b[2J\n# b", "a.[2J.# b"],
  ])("%s", (_name, text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });
});

describe("code spans", () => {
  it.each<[string, string, string]>([
    ["plain", "sh (PID 1)", "`sh (PID 1)`"],
    ["with backticks inside", "a `b` ``c``", "``` a `b` ``c`` ```"],
    ["with pipes, which end a cell even in code", "a|b", "`a\\|b`"],
    ["empty", "", ""],
  ])("%s", (_name, text, expected) => {
    expect(codeSpan(text)).toBe(expected);
  });
});

test("a fenced block ends where it says, whatever is in it", () => {
  const text = fc.string({ unit: fc.constantFrom("`", "a", "\n", "~", " ") });
  fc.assert(
    fc.property(text, (body) => {
      const lines = fenced(body).split("\n");
      const fence = /^`+/.exec(lines[0]!)![0];
      const closing = lines.slice(1).findIndex((line) => new RegExp(`^ {0,3}\`{${fence.length},}\\s*$`).test(line));
      // The last line but one: behind it is only the block's own line end.
      expect(closing + 1).toBe(lines.length - 2);
    }),
  );
});
