import { describe, expect, it } from "vitest";
import { fakeContext, fakeTypes } from "./context.fixture.ts";
import { FakeMemory } from "./memory.fixture.ts";
import { crashTime, readLoadAverage, readTime } from "./time.ts";
import { readBanner, readUtsname } from "./utsname.ts";

const DATA = 0xffffffff82000000n;
const NOV_2026 = 1_795_209_243;
const TYPES = fakeTypes({ "timekeeper.xtime_sec": [120, 8], "timekeeper.ktime_sec": [128, 8] });
const NEWER = fakeTypes({
  "timekeeper.xtime_sec": [120, 8],
  "timekeeper.ktime_sec": [128, 8],
  "tk_data.timekeeper": [64, 300],
});

function clock(symbol: string, at: number) {
  const memory = new FakeMemory();
  memory.map(DATA, 0x400);
  memory.write64(DATA + BigInt(at), BigInt(NOV_2026));
  memory.write64(DATA + BigInt(at + 8), 77n);
  memory.write64(DATA + BigInt(at + 16), BigInt(77 - NOV_2026));
  return { memory, symbols: { [symbol]: DATA } };
}

describe("readTime", () => {
  it.each([
    ["tk_core behind its sequence count", "tk_core", 128, TYPES],
    ["tk_core as struct tk_data (6.13)", "tk_core", 184, NEWER],
    ["timekeeper_data (6.17)", "timekeeper_data", 184, NEWER],
    ["shadow_timekeeper", "shadow_timekeeper", 120, TYPES],
  ])("reads %s", (_what, symbol, at, types) => {
    expect(readTime(fakeContext({ ...clock(symbol, at), types }))).toEqual({
      wallSeconds: NOV_2026,
      uptimeSeconds: 77,
    });
  });

  it("finds the clock by its look without types", () => {
    expect(readTime(fakeContext(clock("tk_core", 136)))).toEqual({ wallSeconds: NOV_2026, uptimeSeconds: 77 });
  });

  it("takes no nonsense for a clock", () => {
    const context = fakeContext({ ...clock("tk_core", 64), types: TYPES });
    expect(readTime(context)).toEqual({ wallSeconds: null, uptimeSeconds: null });
  });
});

describe("crashTime", () => {
  it.each([
    ["VMCOREINFO's CRASHTIME first", { CRASHTIME: String(NOV_2026 + 5) }, NOV_2026, "2026-11-20T21:14:08Z"],
    ["the clock", {}, NOV_2026, "2026-11-20T21:14:03Z"],
    ["nothing", {}, null, null],
  ])("takes %s", (_what, vmcoreinfo, wallSeconds, expected) => {
    expect(
      crashTime(fakeContext({ vmcoreinfo: vmcoreinfo as Record<string, string> }), {
        wallSeconds,
        uptimeSeconds: null,
      }),
    ).toBe(expected);
  });
});

describe("readLoadAverage", () => {
  it("reads fixed-point numbers", () => {
    const memory = new FakeMemory();
    memory.map(DATA, 24);
    memory.write64(DATA, 643n);
    memory.write64(DATA + 8n, 2048n);
    memory.write64(DATA + 16n, 0n);
    expect(readLoadAverage(fakeContext({ memory, symbols: { avenrun: DATA } }))).toEqual([643 / 2048, 1, 0]);
    memory.write64(DATA, 1n << 60n);
    expect(readLoadAverage(fakeContext({ memory, symbols: { avenrun: DATA } }))).toBeNull();
  });
});

describe("readUtsname", () => {
  it.each([
    ["first in its namespace (5.11)", 0],
    ["behind a reference count", 4],
  ])("finds the name %s", (_what, offset) => {
    const memory = new FakeMemory();
    memory.map(DATA, 512);
    ["Linux", "host", "6.1.0", "#1 SMP", "x86_64"].forEach((text, i) => {
      memory.writeText(DATA + BigInt(offset + i * 65), text);
    });
    const context = fakeContext({ memory, symbols: { init_uts_ns: DATA } });
    expect(readUtsname(context)).toEqual({ nodename: "host", release: "6.1.0", version: "#1 SMP", machine: "x86_64" });
  });

  it("takes only a banner for a banner", () => {
    const memory = new FakeMemory();
    memory.map(DATA, 512);
    const context = fakeContext({ memory, symbols: { linux_banner: DATA } });
    memory.writeText(DATA, "garbage");
    expect(readBanner(context)).toBe("");
    memory.writeText(DATA, "Linux version 6.1.0 (gcc) #1\n");
    expect(readBanner(context)).toBe("Linux version 6.1.0 (gcc) #1");
  });
});
