import { expect, test } from "vitest";
import { formatAscii, formatMemoryRows, type RdStyle } from "./rd.ts";

const bytes = new TextEncoder().encode("Linux version 6.1.0-56-cloud-amd64 (debian-kerne");
const at = 0xffffffffae11ffe0n;
const style: RdStyle = { bits: 64, ascii: true, symbolize: null };

// Expected texts are what crash 8.0.2 prints of the same memory.
test.each<[string, number, Partial<RdStyle>, string]>([
  [
    "rd 4",
    32,
    {},
    "ffffffffae11ffe0:  65762078756e694c 2e36206e6f697372   Linux version 6.\n" +
      "ffffffffae11fff0:  632d36352d302e31 646d612d64756f6c   1.0-56-cloud-amd\n",
  ],
  ["rd -64", 8, {}, "ffffffffae11ffe0:  65762078756e694c                    Linux ve\n"],
  ["rd -8", 1, { bits: 8 }, "ffffffffae11ffe0:  4c                                                L\n"],
  ["rd -16", 2, { bits: 16 }, "ffffffffae11ffe0:  694c                                      Li\n"],
  [
    "rd -32 6",
    24,
    { bits: 32 },
    "ffffffffae11ffe0:  756e694c 65762078 6f697372 2e36206e   Linux version 6.\n" +
      "ffffffffae11fff0:  2d302e31 632d3635                     1.0-56-c\n",
  ],
  ["rd -x 2", 16, { ascii: false }, "ffffffffae11ffe0:  65762078756e694c 2e36206e6f697372 \n"],
  [
    "rd -s 2",
    16,
    { symbolize: (word) => (word === 0x65762078756e694cn ? "init_task+168" : null) },
    "ffffffffae11ffe0:  init_task+168    2e36206e6f697372 \n",
  ],
])("%s", (_command, length, options, expected) => {
  expect(formatMemoryRows(bytes.subarray(0, length), at, { ...style, ...options })).toBe(expected);
});

test("a physical address has no leading zeros", () => {
  expect(formatMemoryRows(new Uint8Array(8), 0x1000000n, { ...style, ascii: false })).toBe(
    "         1000000:  0000000000000000 \n",
  );
});

test.each([
  ["stops at the first byte that is no text", "abc\ndef", "ffffffffae11ffe0:  abc\n"],
  ["60 characters a row", "x".repeat(61), `ffffffffae11ffe0:  ${"x".repeat(60)}\nffffffffae12001c:  x\n`],
  ["nothing where there is no text", "\0", ""],
])("rd -a: %s", (_name, text, expected) => {
  expect(formatAscii(new TextEncoder().encode(text), at)).toBe(expected);
});
