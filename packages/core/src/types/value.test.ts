import { describe, expect, test } from "vitest";
import type { AddressSpace } from "../memory/address-space.ts";
import {
  array,
  BOOL,
  bitField,
  CHAR,
  enumeration,
  INT,
  member,
  pointer,
  struct,
  typedef,
  U32,
  UCHAR,
  ULONG,
  union,
  VOID,
} from "./c-types.fixture.ts";
import { formatValue, type ValueStyle } from "./format-value.ts";
import type { CType } from "./type-provider.ts";
import { bytesInMemory, bytesOfPieces, decodeValue, readMember, readValue } from "./value.ts";
import { plainValue } from "./value-json.ts";

const style: ValueStyle = {
  radix: 10,
  symbolize: (address) => (address === 0xffffffff81000100n ? "vfs_read" : null),
  text: (address) => (address === 0x1000n ? 'a "b"\n' : null),
};
const bytes = (...values: (number | null)[]) => bytesOfPieces(values);
const shown = (type: CType, ...values: (number | null)[]) => formatValue(decodeValue(bytes(...values), type), style);
const state = enumeration("state", { IDLE: 0n, UP: 1n, DOWN: 2n, BOTH: 8n });

test.each<[CType, number[], string, unknown]>([
  [INT, [0xfe, 0xff, 0xff, 0xff], "-2", -2],
  [U32, [0xfe, 0xff, 0xff, 0xff], "4294967294", 4294967294],
  [ULONG, [255, 255, 255, 255, 255, 255, 255, 255], "18446744073709551615", "18446744073709551615"],
  [BOOL, [1], "true", true],
  [BOOL, [7], "7", 7],
  [CHAR, [0x61], "97 'a'", 0x61],
  [CHAR, [0xff], "-1 '\\377'", 0xff],
  [typedef("u8", UCHAR), [0x61], "97", 0x61],
  [state, [2, 0, 0, 0], "DOWN", "DOWN"],
  [state, [10, 0, 0, 0], "DOWN | BOTH", "DOWN | BOTH"],
  [state, [16, 0, 0, 0], "16", 16],
  [pointer(VOID), [0, 1, 0, 0x81, 255, 255, 255, 255], "0xffffffff81000100 <vfs_read>", 0xffffffff81000100n],
  [pointer(VOID), [0, 0, 0, 0, 0, 0, 0, 0], "0x0", 0n],
  [pointer(CHAR), [0, 16, 0, 0, 0, 0, 0, 0], '0x1000 "a \\"b\\"\\n"', 0x1000n],
  [array(CHAR, 6), [0x73, 0x68, 0, 0, 0, 0], '"sh"', "sh"],
  [array(CHAR, 5), [0x73, 0, 0x1b, 0xff, 0], '"s\\000\\e\\377"', "s\0\x1b\xff"],
  [array(UCHAR, 3), [0x73, 0x68, 0], '"sh"', "sh"],
  [array(UCHAR, 3), [1, 2, 2], "{1, 2, 2}", [1, 2, 2]],
  [array(typedef("u8", UCHAR), 3), [0x73, 0x68, 0], "{115, 104, 0}", [115, 104, 0]],
  [array(UCHAR, 10), Array(10).fill(0), "{0 <repeats 10 times>}", Array(10).fill(0)],
  [array(struct("", 0), 3), [], "{}", []],
  [struct("empty", 0), [], "{}", {}],
  [VOID, [], "<void>", null],
])("a value: %#", (type, values, text, plain) => {
  const value = decodeValue(bytes(...values), type);
  expect(formatValue(value, style)).toBe(text);
  expect(plainValue(value)).toEqual(plain);
});

test("hexadecimal numbers are as wide as their type", () => {
  const value = decodeValue(bytes(0xfe, 0xff, 0xff, 0xff), INT);
  expect(formatValue(value, { ...style, radix: 16 })).toBe("0xfffffffe");
});

describe("structs", () => {
  const type = struct(
    "box",
    16,
    bitField("low", U32, 0, 3),
    bitField("sign", INT, 3, 2),
    bitField("across", U32, 12, 8),
    member("", union("", 4, member("a", INT, 0), member("b", array(CHAR, 4), 0)), 4),
    member("list", array(struct("", 2, member("x", UCHAR, 0), member("y", UCHAR, 1)), 2), 8),
  );
  const content = [0b11101, 0xf0, 0x0a, 0, 0x41, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0];

  test("nest, with bit fields and nameless members", () => {
    expect(shown(type, ...content)).toBe(
      [
        "{",
        "  low = 5,",
        "  sign = -1,",
        "  across = 175,",
        "  {",
        "    a = 65,",
        '    b = "A"',
        "  },",
        "  list = {{",
        "      x = 1,",
        "      y = 2",
        "    }, {",
        "      x = 3,",
        "      y = 4",
        "    }}",
        "}",
      ].join("\n"),
    );
    expect(plainValue(decodeValue(bytes(...content), type))).toEqual({
      low: 5,
      sign: -1,
      across: 175,
      a: 65,
      b: "A",
      list: [
        { x: 1, y: 2 },
        { x: 3, y: 4 },
      ],
    });
  });

  test("say which bytes are not there", () => {
    const holes = content.map((byte, index) => (index === 5 || index === 10 ? null : byte));
    const text = shown(type, ...holes);
    expect(text).toContain("low = 5");
    expect(text).toContain("a = <not in the dump>");
    expect(text).toContain("b = <not in the dump>");
    expect(text).toContain("x = <not in the dump>,\n      y = 4");
  });
});

describe("in memory", () => {
  /** One page at 0x1000, nothing else. */
  const page = Uint8Array.from({ length: 4096 }, (_, index) => index & 0xff);
  const memory = {
    readSparse(virtual: bigint, length: number) {
      const result = new Uint8Array(length);
      const faults = [];
      for (let index = 0; index < length; index++) {
        const at = Number(virtual) + index - 0x1000;
        if (at >= 0 && at < 4096) result[index] = page[at]!;
        else if (index === 0 || (at & 0xfff) === 0) {
          faults.push({ reason: "absent" as const, virtual: virtual + BigInt(index), physical: null });
        }
      }
      return { bytes: result, faults };
    },
  } as unknown as AddressSpace;

  test("a value that runs into a missing page", () => {
    expect(readValue(memory, U32, 0x1004n)).toMatchObject({ value: 0x07060504n });
    expect(readValue(memory, U32, 0x1ffen)).toEqual({ kind: "missing" });
    expect(readValue(memory, U32, 0x2004n)).toEqual({ kind: "missing" });
  });

  test("a member by its place", () => {
    const place = { offset: 4, size: 4, bitOffset: 36, bitSize: 4, type: U32 };
    expect(readMember(memory, 0x1000n, place)).toMatchObject({ value: 0n });
    expect(readMember(memory, 0x1000n, { ...place, bitOffset: 32 })).toMatchObject({ value: 4n });
  });

  test("a forged size allocates nothing of the kind", () => {
    expect(bytesInMemory(memory, 0x1000n, 2 ** 40).bytes.length).toBeLessThanOrEqual(1 << 20);
    const huge: CType = { kind: "array", size: 2 ** 40, length: 2 ** 40, element: INT };
    const value = readValue(memory, huge, 0x1000n);
    expect(value.kind === "array" && value.items.length <= 65_536).toBe(true);
    expect(formatValue(value, style)).toContain("more}");
  });
});
