import type { Diagnosis } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { BUFFER_OVERFLOW, DEEP_CHAIN, RECURSION, SYSRQ } from "../testing/diagnoses.ts";
import { recorder } from "../testing/recorder.ts";
import { renderReport } from "./report.ts";
import { stackRows } from "./stack-rows.ts";

/** Rows as short words, easy to compare. */
function rows(diagnosis: Diagnosis): string[] {
  return stackRows(diagnosis).map((row) => {
    if (row.kind === "frame") {
      const marks = [row.damaged && "damaged", row.culprit && "culprit", row.cycle].filter(Boolean).join(" ");
      return `${row.frame.function} ${row.bytes ?? "?"}${marks === "" ? "" : ` ${marks}`}`;
    }
    if (row.kind === "turns") return `${row.turns} turns of ${row.bytesPerTurn}`;
    if (row.kind === "elided") return `${row.frames} frames, ${row.bytes} bytes`;
    if (row.kind === "inlined") return `in ${row.frame.function}`;
    return row.kind === "region" ? `-- ${row.region}` : row.what;
  });
}

describe("rows of the drawing", () => {
  test("inlined functions stand before the frame they are in, and count for none", () => {
    const frames = BUFFER_OVERFLOW.frames.flatMap((frame) => [{ ...frame, function: "inner", inlined: true }, frame]);
    const shown = rows({ ...BUFFER_OVERFLOW, frames });
    expect(shown.filter((row) => row !== "in inner")).toEqual(rows(BUFFER_OVERFLOW));
    shown.forEach((row, index) => {
      if (row === "in inner") expect(shown[index + 1]).toMatch(/^\w+ [\d?]/);
    });
    expect(shown.filter((row) => row === "in inner")).toHaveLength(BUFFER_OVERFLOW.frames.length);
  });

  test("damage stands where it lies, inside the frames it hit", () => {
    expect(rows(BUFFER_OVERFLOW)).toEqual([
      "-- this",
      "panic 128",
      "__stack_chk_fail 16",
      "parse_packet 136 damaged culprit",
      "damage-start",
      "canary",
      "vandal_write 48 damaged",
      "damage-end",
      "proc_reg_write 24",
      "vfs_write 152",
      "ksys_write 56",
      "do_syscall_64 40",
      "entry_SYSCALL_64_after_hwframe ?",
    ]);
  });

  test("recursion is one turn and a count, and crosses the low end", () => {
    expect(rows(RECURSION)).toEqual([
      "-- below",
      "nest 80 culprit first",
      "-- this",
      "212 turns of 80",
      "nest_entry 40",
      "vfs_write 152",
      "ksys_write 56",
      "do_syscall_64 40",
      "entry_SYSCALL_64_after_hwframe ?",
    ]);
  });

  test("the middle of a long chain is summed up", () => {
    const list = rows(DEEP_CHAIN);
    expect(list).toHaveLength(1 + 20 + 1 + 10);
    expect(list.slice(20, 23)).toEqual(["level_19 119", "30 frames, 4035 bytes", "level_50 150"]);
  });

  test("the culprit is shown wherever it stands", () => {
    const culprit = { function: "level_30", module: null, file: null, line: null };
    const list = rows({ ...DEEP_CHAIN, verdict: { ...DEEP_CHAIN.verdict, culprit } });
    expect(list.slice(20, 25)).toEqual([
      "level_19 119",
      "10 frames, 1245 bytes",
      "level_30 130 culprit",
      "19 frames, 2660 bytes",
      "level_50 150",
    ]);
  });

  test("frames on another stack stand apart and have no size across the change", () => {
    const [first, ...rest] = SYSRQ.frames;
    const frames = [{ ...first!, function: "exc_double_fault", sp: "0xfffffe000000af08" }, ...rest];
    expect(rows({ ...SYSRQ, frames })).toEqual([
      "-- other",
      "exc_double_fault ?",
      "-- this",
      "sysrq_handle_crash 8",
      "write_sysrq_trigger 48",
      "vfs_write 152",
      "do_syscall_64 ?",
    ]);
  });

  test("a diagnosis without a known stack still lists its frames", () => {
    expect(rows({ ...SYSRQ, stack: null })[0]).toBe("panic 128");
    expect(rows({ ...SYSRQ, stack: null, frames: [] })).toEqual([]);
  });
});

test("the whole report of a buffer overflow", () => {
  expect(renderReport(BUFFER_OVERFLOW, recorder({ width: 80 }))).toMatchInlineSnapshot(`
    "
      Stack buffer overflow · certain

      parse_packet [vandal] wrote past the end of a buffer in its own frame: 120
      bytes from there upwards, its canary and its return address among them, hold
      the byte 0x41.

      culprit   parse_packet [vandal]
      panic     stack-protector: Kernel stack is corrupted in:
                parse_packet+0x7f/0x80 [vandal]
      task      init (PID 1) on CPU 1, 0xffff8c77c120a0c0
      kernel    6.1.0-56-cloud-amd64 x86_64, Fri Nov 20 19:50:43 UTC 2026

    The stack  task stack, 696 of 16,384 bytes used  ▄··············· 4 %

      ffffca72c0010000 ┌─ low end of the stack ──────────── bytes ─┐
                       │ free                               15,688 │
      ffffca72c0013d48 │ ● panic+0x1c                          128 │
      ffffca72c0013dc8 │ ● __stack_chk_fail+0x1d                16 │
      ffffca72c0013dd8 █ ● parse_packet+0x1e [vandal]          136 █ ◀ culprit
      ffffca72c0013e18 █   damage begins                       120 █
      ffffca72c0013e38 █   canary slot 4141414141414141            █
      ffffca72c0013e60 █ ○ vandal_write+0x1f [vandal]           48 █ inferred
      ffffca72c0013e90 │   damage ends                             │
      ffffca72c0013e90 │ ● proc_reg_write+0x20                  24 │
      ffffca72c0013ea8 │ ● vfs_write+0x21                      152 │
      ffffca72c0013f40 │ ● ksys_write+0x22                      56 │
      ffffca72c0013f78 │ ● do_syscall_64+0x23                   40 │
      ffffca72c0013fa0 │ ● entry_SYSCALL_64_after_hwframe+0x24     │
      ffffca72c0014000 └─ top of the stack ────────────────────────┘
                       ● 8 proven   ○ 1 inferred
                       1 stale return address left out: bt --stale

      damage           120 bytes from 0xffffca72c0013e18: 0x41 repeated (text
                       "AAAA…")
      ○ vandal_write   the only call of parse_packet in vandal; its return slot was
                       overwritten

    Evidence
      · 0xffffca72c0013e38: parse_packet keeps its canary here; it holds
        0x4141414141414141, the reference at gs:0x28 of CPU 1 is 0x01c02d5075664900
      · the kernel's stack protector stopped the machine

    Also possible
      · Another context wrote into this stack (only possible): no writer outside
        this chain was looked for

    Not known
      · the name of the overrun variable: that needs the module's debug information

    What to do
      · look at the writes to local arrays in parse_packet: spillway dis vmcore
        parse_packet

    "
  `);
});

const EXCEPTION: Diagnosis = { ...RECURSION, stack: { ...RECURSION.stack!, kind: "exception" } };
const all = { BUFFER_OVERFLOW, RECURSION, DEEP_CHAIN, SYSRQ, EXCEPTION };

describe.each(Object.entries(all))("report of %s", (_name, diagnosis) => {
  test.each([80, 100, 120])("fits %d columns", (width) => {
    const lines = renderReport(diagnosis, recorder({ width })).split("\n");
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    expect(lines.filter((line) => line.endsWith(" "))).toEqual([]);
  });

  test("is plain ASCII where the terminal has no more", () => {
    const text = renderReport(diagnosis, recorder({ unicode: false })).replaceAll("…", "");
    // Summaries and patterns come from core; the drawing itself must be ASCII.
    expect([...text].filter((character) => character > "~")).toEqual([]);
  });

  test("says the verdict before anything else", () => {
    expect(renderReport(diagnosis, recorder()).trimStart()).toMatch(/^(Stack|No stack trouble)/);
  });
});

test("text from the dump cannot drive the terminal", () => {
  const panic = { ...SYSRQ.panic, message: "\u001b[2Jboo", comm: "\u009b31m" };
  const frames = [{ ...SYSRQ.frames[0]!, function: "\u001b]0;x\u0007" }];
  const text = renderReport({ ...SYSRQ, panic, frames }, recorder());
  expect([...text].filter((character) => character !== "\n" && /\p{Cc}/u.test(character))).toEqual([]);
});
