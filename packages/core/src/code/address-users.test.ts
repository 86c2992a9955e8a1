import { describe, expect, it } from "vitest";
import { TEXT, tinyKernel } from "../testing/tiny-kernel.ts";
import { addressUsers } from "./address-users.ts";
import { CodeReader } from "./code-reader.ts";

const VARIABLE = TEXT + 0x1000n;

/** A 32-bit displacement as bytes in hex. */
function disp(value: bigint): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, Number(BigInt.asIntN(32, value)), true);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("functions that name a variable", () => {
  const before = 16n;
  const pad = { name: "pad", code: "90".repeat(Number(before)) };
  const at = TEXT + before;
  it.each<[string, string]>([
    ["mov var(%rip),%rax", `488b05${disp(VARIABLE - (at + 7n))}`],
    ["movl $1,var(%rip): an immediate behind the displacement", `c705${disp(VARIABLE - (at + 10n))}01000000`],
    ["mov $var,%rdi", `48c7c7${disp(VARIABLE)}`],
    ["mov var+8(,%rsi,8),%rax", `488b04f5${disp(VARIABLE + 8n)}`],
  ])("%s", (_what, code) => {
    const { kernel } = tinyKernel({ functions: [pad, { name: "user", code: `${code} c3` }] });
    const reader = new CodeReader(kernel.memory, kernel.symbols);
    expect(addressUsers(reader, null, VARIABLE, VARIABLE + 16n).map((range) => range.name)).toEqual(["user"]);
    expect(addressUsers(reader, null, VARIABLE + 64n, VARIABLE + 80n)).toEqual([]);
    expect(addressUsers(reader, "absent", VARIABLE, VARIABLE + 16n)).toEqual([]);
  });
});
