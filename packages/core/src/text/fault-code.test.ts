import { describe, expect, it } from "vitest";
import { readCode } from "./console/stack-line.ts";
import { readFaultCode } from "./fault-code.ts";

/** As a `Code:` line has it. */
function read(line: string, offset: number | null) {
  const code = readCode(`Code: ${line}`)!;
  return readFaultCode({ bytes: Uint8Array.from(code.bytes), at: code.at }, offset);
}

describe("readFaultCode", () => {
  it.each([
    // endbr64; nopl; sub $0x4008,%rsp; then the fault.
    [
      "f3 0f 1e fa 0f 1f 44 00 00 48 81 ec 08 40 00 00 <e8> 7f 8f 11 ec",
      16,
      { frameBytes: 0x4008 + 8, fromStart: true, midInstruction: false },
    ],
    // push %rbp; mov %rsp,%rbp; push %rbx; sub $0x38,%rsp
    ["55 48 89 e5 53 48 83 ec 38 <48> 89 7d d0", 9, { frameBytes: 8 + 8 + 8 + 0x38, fromStart: true }],
    // The function's start is not among the bytes: what is subtracted is still seen.
    [
      "53 48 89 fb 48 81 ec a8 02 00 00 65 48 8b 04 25 28 00 00 00 <f3> 48 ab",
      0x137,
      { frameBytes: 0x2a8 + 8, fromStart: false },
    ],
    ["90 90 90 90 <48> 8b 45 00 0f 0b", 0x55, { frameBytes: null, fromStart: false, text: "mov 0x0(%rbp),%rax" }],
    // RSP comes back before the fault.
    ["53 48 83 ec 10 48 83 c4 10 5b <c3>", 10, { frameBytes: 8, fromStart: true }],
    // mov $0x12345678,%eax with RIP within the constant.
    ["90 b8 78 56 <34> 12 c3", 4, { midInstruction: true, frameBytes: null }],
    // Where RSP is set from elsewhere its depth is not known.
    ["48 89 c4 90 <e8> 00 00 00 00", 4, { frameBytes: null, fromStart: false }],
  ])("%s, %i bytes into its function: %o", (line, offset, expected) => {
    expect(read(line, offset)).toMatchObject(expected);
  });

  it("gives nothing where no byte is marked", () => {
    expect(read("90 90 90 90", 4)).toBeNull();
  });
});
