import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDecoders } from "./compare-decoders.fixture.ts";

const TEXT = 0xffffffff81000000n;
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));

describe("the decoder of common instructions agrees with iced", () => {
  it.each([
    ["48b8efcdab8967452301", "a number of 64 bits"],
    ["b8ffffffff 48c7c0ffffffff", "one of 32 bits, which is zero-extended, and one that is sign-extended"],
    ["6681c10080 66b8ffff", "one of 16 bits"],
    ["4088e6 88e6 4588e6 400fb6c6", "sil, dh, r14b: what a REX prefix without bits does"],
    ["65488b042528000000 64488b00", "segments"],
    ["488b04cd00000081 4a8b04a0 428b0420", "an index without a base, r12 as an index, and none"],
    ["488d05f0ffffff c705f0ffffff01000000", "relative to RIP, with an immediate behind"],
    ["488d0500000080 e800000080", "what leads out of the top 2 GiB"],
    ["e8f0ffffff 0f84f0ffffff 75fe ebfe", "branches"],
    ["ffd0 ff5010 ffe0 ff24c500000081 41ff5424d0", "indirect ones"],
    ["66e8f0ffffff 66ffd0 6650 666aff", "those with a size that the manual calls undefined"],
    ["662e0f1f840000000000 0f1f00 6690 90 4190 f390 f30f1efa", "padding"],
    ["c1e005 d1e0 d3e0 c0f007 0fa4c105", "shifts"],
    ["f7c001000000 f7d8 f6c001 f7f9 f7c801000000", "one opcode, many instructions"],
    ["f0480fb10f f048ff00 f00fc107 65f0832801 f00fba2c2401 f0873e", "locked ones"],
    ["f0480fb1f8 f0480fc1f8 f03907 f083380a f0890f f0c3 f0f08307", "those that cannot be locked"],
    ["f30f1efa 4898 98 6698", "marks, and sign extensions of all sizes"],
    ["f3a4 f348a5 f348ab f3aa a4 48ab 65f3a4 f365a4", "strings"],
    ["f3ab f366ab f2a4 c5f877 0f05 f30f1ef8 f390", "what is left to iced"],
    ["48 4889 488b04 e800 b8ffff 48b8112233445566ff", "what is cut off at the end"],
  ])("%s: %s", (hex, _what) => {
    const bytes = bytesOf(hex);
    for (let end = 1; end <= bytes.length; end++) {
      expect(compareDecoders(bytes.subarray(0, end), TEXT).difference).toBeNull();
    }
  });

  it.each([
    ["", "100000008000000090909090909090"],
    ["66", "909090909090909090909090909090"],
    ["4f", "900000000000000090909090909090"],
    ["f0", "909090909090909090909090909090"],
    ["f3", "909090909090909090909090909090"],
  ])("all opcodes, each in all of its forms, with the prefixes '%s'", (prefix, rest) => {
    const modrms = bytesOf("000544c0");
    const code: number[] = [];
    for (let opcode = 0; opcode < 512; opcode++) {
      for (let reg = 0; reg < 8; reg++) {
        for (const modrm of modrms) {
          code.push(...bytesOf(prefix), ...(opcode < 256 ? [opcode] : [0x0f, opcode - 256]), modrm | (reg << 3));
          // Displacements and immediates, and in any case the end of the instruction.
          code.push(...bytesOf(rest));
        }
      }
    }
    expect(compareDecoders(Uint8Array.from(code), TEXT).difference).toBeNull();
  });

  it("on any bytes, at any address", () => {
    const prefix = fc.constantFrom(0x66, 0x48, 0x4c, 0x41, 0x65, 0x2e, 0xf0, 0xf3, 0x0f);
    const bytes = fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat(255) }, prefix), { minLength: 1, maxLength: 80 });
    const address = fc.constantFrom(TEXT, 0xfffffffffffffff0n, 0x7ffffff0n, 0x400000n, 0xffff888000000000n);
    fc.assert(
      fc.property(bytes, address, (code, at) => {
        expect(compareDecoders(Uint8Array.from(code), at).difference).toBeNull();
      }),
      { numRuns: 3000 },
    );
  });
});
