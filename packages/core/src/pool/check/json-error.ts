/** Where a text stops being JSON: engines name the offset in some of their messages only. */

const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | "more";

/** The offset of the first character that cannot stand there, or of the end where it comes too early; null where it is JSON. */
export function jsonErrorAt(source: string): number | null {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = 0;
  const matches = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) return false;
    at += found[0].length;
    return true;
  };
  for (;;) {
    matches(BLANK);
    if (expected === "more" && open.length === 0) return at < source.length ? at : null;
    const character = source[at] ?? "";
    const inObject = open.at(-1) === "{";
    if (expected === "more") {
      if (character === ",") expected = inObject ? "key" : "value";
      else if (character === (inObject ? "}" : "]")) open.pop();
      else return at;
      at++;
    } else if (expected === ":") {
      if (character !== ":") return at;
      at++;
      expected = "value";
    } else if (character === (expected === "key or }" ? "}" : "]") && expected.includes(" or ")) {
      open.pop();
      at++;
      expected = "more";
    } else if (expected.startsWith("key")) {
      if (!matches(STRING)) return at;
      expected = ":";
    } else if (character === "{" || character === "[") {
      open.push(character);
      at++;
      expected = character === "{" ? "key or }" : "value or ]";
    } else {
      if (!matches(STRING) && !matches(SCALAR)) return at;
      expected = "more";
    }
  }
}
