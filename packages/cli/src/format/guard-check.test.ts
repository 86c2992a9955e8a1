import { expect, test } from "vitest";
import { recorder } from "../testing/recorder.ts";
import { formatCheck } from "./guard-check.ts";

test("what forbids comes first, with what to do", () => {
  const finding = { source: "/proc/x", advice: null };
  const text = formatCheck(
    {
      ok: false,
      reasons: ["b"],
      kernel: "6.1.0",
      loaded: false,
      findings: [
        { id: "a", state: "ok", text: "the machine is x86_64", ...finding },
        { id: "b", state: "forbids", text: "ftrace is switched off", ...finding, advice: "switch it on" },
        { id: "c", state: "unknown", text: "the weather is not known", source: null, advice: null },
        { id: "d", state: "note", text: "it is late", ...finding },
      ],
    },
    recorder(),
  );
  expect(text).toBe(`  This machine cannot run spillway.ko. Kernel 6.1.0

  NO    ftrace is switched off (/proc/x)
        -> switch it on
  note  it is late (/proc/x)
  ?     the weather is not known
  ok    the machine is x86_64
`);
});
