import { describe, expect, it } from "vitest";
import type { Run } from "../lib/run-measured.ts";
import { measuredOutcome, withRatios } from "./comparison.ts";
import { type Comparison, markdownReport, textReport } from "./report.ts";

const run = (seconds: number, mib: number): Run => ({
  seconds,
  peakKiB: mib * 1024,
  status: 0,
  stdout: "",
  stderr: "",
});

const comparison: Comparison = {
  schema: "spillway/bench-compare@1",
  machine: { cpu: "A CPU", cores: 2, memoryGiB: 23 },
  dump: { path: "/dumps/a.elf", bytes: 256 * 2 ** 20 },
  vmlinux: { path: "/dbg/vmlinux", bytes: 562.5 * 2 ** 20 },
  runs: 3,
  outcomes: withRatios([
    measuredOutcome("spillway", "0.1.0", "verdict + backtrace", [run(0.2, 90), run(0.21, 91), run(0.3, 95)]),
    measuredOutcome("drgn", "0.2.0", "backtrace", [run(0.4, 240), run(0.42, 242), run(0.5, 250)]),
    { tool: "crash", status: "not found", reason: "/opt/crash" },
  ]),
};

describe("the comparison's report", () => {
  it("shows all three side by side, a missing one too", () =>
    expect(textReport(comparison)).toMatchInlineSnapshot(`
      "Command to backtrace: a.elf, 256.0 MiB; vmlinux of 562.5 MiB (for drgn and crash alone); 3 interleaved runs each after one that does not count; 2 x A CPU, 23 GiB.

      tool            prints               time, median      min - max  peak RSS, median  min - max  time / drgn  RSS / drgn
      --------------  -------------------  ------------  -------------  ----------------  ---------  -----------  ----------
      spillway 0.1.0  verdict + backtrace       0.210 s  0.200 - 0.300            91 MiB    90 - 95         0.50        0.38
      drgn 0.2.0      backtrace                 0.420 s  0.400 - 0.500           242 MiB  240 - 250         1.00        1.00
      crash           not found
      crash: not found: /opt/crash
      "
    `));
  it("is a Markdown table on demand", () =>
    expect(markdownReport(comparison)).toMatchInlineSnapshot(`
      "Command to backtrace: a.elf, 256.0 MiB; vmlinux of 562.5 MiB (for drgn and crash alone); 3 interleaved runs each after one that does not count; 2 x A CPU, 23 GiB.

      | tool | prints | time, median | min - max | peak RSS, median | min - max | time / drgn | RSS / drgn |
      | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
      | spillway 0.1.0 | verdict + backtrace | 0.210 s | 0.200 - 0.300 | 91 MiB | 90 - 95 | 0.50 | 0.38 |
      | drgn 0.2.0 | backtrace | 0.420 s | 0.400 - 0.500 | 242 MiB | 240 - 250 | 1.00 | 1.00 |
      | crash | not found |  |  |  |  |  |  |

      crash: not found: /opt/crash
      "
    `));
});
