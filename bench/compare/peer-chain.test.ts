import { describe, expect, it } from "vitest";
import { parseCrash, parseDrgn, parseSpillway } from "./peer-chain.ts";

const run = (stdout: string, stderr = "", status = 0) => ({ stdout, stderr, status });

describe("parseDrgn", () => {
  it("reads the frames and leaves user space out", () => {
    const rows =
      '[["pde_write", true, "0xffffffff813eacb6"], ["proc_reg_write", false, "0xffffffff813eacb6"], ["0x47b7a0", false, "0x47b7a0"]]';
    expect(parseDrgn(run(`chain:${rows}\n`))).toEqual({
      frames: [
        { function: "pde_write", inlined: true },
        { function: "proc_reg_write", inlined: false },
      ],
      error: null,
    });
  });
  it("keeps the last words of a failure", () =>
    expect(parseDrgn(run("", "Traceback\nException: Key has no value\n", 1))).toEqual({
      frames: [],
      error: "Exception: Key has no value",
    }));
});

describe("parseCrash", () => {
  it("reads frames, the interrupted function, and module frames", () =>
    expect(
      parseCrash(
        run(`
WARNING: active task ffff8a210120a0c0 on cpu 0 not found in PID hash
PID: 95       TASK: ffff8ac082850000  CPU: 0    COMMAND: "sh"
 #3 [ffffd279803d3b40] asm_exc_page_fault at ffffffffbd000c02
    [exception RIP: peer_bytes+5]
    RIP: ffffffffc0428505  RSP: ffffd279803d3bf0  RFLAGS: 00010246
 #4 [ffffd279803d3bf0] report_session at ffffffffc042855e [vandal]
--- <DOUBLEFAULT exception stack> ---
#10 [ffffd279803d3d70] ksys_write+75 at ffffffffbc74d95b
`),
      ).frames.map((frame) => frame.function),
    ).toEqual(["asm_exc_page_fault", "peer_bytes", "report_session", "ksys_write"]));

  it("keeps a complaint beside the frames it has", () =>
    expect(
      parseCrash(
        run("bt: read of stack at fffffe000004f000 failed\n #0 [fffffe000000ae38] panic at ffffffff861cd21a\n"),
      ),
    ).toMatchObject({ frames: [{ function: "panic" }], error: "bt: read of stack at fffffe000004f000 failed" }));

  it("says what status crash left with where it says nothing itself", () =>
    expect(parseCrash(run("", "", 1))).toEqual({ frames: [], error: "exit status 1" }));
});

describe("parseSpillway", () => {
  it("reads the document's frames, a nameless one by its address", () => {
    const frames = [
      { function: "parse_value", address: "0xffffffffc05f48bb", inlined: false },
      { function: null, address: "0x10", inlined: false },
    ];
    expect(parseSpillway(run(JSON.stringify({ frames }))).frames.map((frame) => frame.function)).toEqual([
      "parse_value",
      "0x10",
    ]);
  });
  it("keeps the error line", () =>
    expect(parseSpillway(run("", "spillway: not a dump\n", 2)).error).toBe("spillway: not a dump"));
});
