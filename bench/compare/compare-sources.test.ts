import { describe, expect, it } from "vitest";
import { compareSources, drgnSources, parseDrgnSources, provenFrames } from "./compare-sources.ts";

const location = { file: "fs/proc/inode.c", line: 352, column: 8 };
const frame = { address: "0xff10", interrupted: false, certainty: "proven", module: null };
const printed = (...frames: object[]) => JSON.stringify([{ frames: frames.map((one) => ({ ...frame, ...one })) }]);

describe("provenFrames", () => {
  it("takes each proven address once, and an exact one as the return address after it", () => {
    const text = printed(
      {},
      {},
      { address: "0xff20", interrupted: true },
      { address: "0xff30", certainty: "inferred" },
    );
    expect(provenFrames(text)?.map((one) => one.pc)).toEqual([0xff10n, 0xff21n]);
  });
  it("keeps the functions in their order", () => {
    const source = [
      { function: "pde_write", inlined: true, location: { ...location, column: null } },
      { function: null, inlined: false, location: null },
    ];
    expect(provenFrames(printed({ source }))?.[0]?.rows).toEqual([
      ["pde_write", "fs/proc/inode.c", 352, 0, true],
      [null, null, 0, 0, false],
    ]);
  });
  it("gives null for what is no such document", () => expect(provenFrames("spillway: no")).toBeNull());
});

describe("drgn's side", () => {
  it("asks for all addresses at once", () => expect(drgnSources([16n, 32n])).toContain("pcs = [16, 32]"));
  it("is read from among warnings", () =>
    expect(parseDrgnSources('warning\nsources:[[["f", "a.c", 1, 2, false]]]\n')).toEqual([
      [["f", "a.c", 1, 2, false]],
    ]));
  it("is null where it failed", () => expect(parseDrgnSources("Traceback")).toBeNull());
});

describe("compareSources", () => {
  const ours = provenFrames(printed({ source: [{ function: "f", inlined: false, location }], module: "vandal" }))!;

  it("takes two spellings of a path for one", () => {
    const judged = compareSources(ours, [[["f", "./fs/ext4/../proc/inode.c", 352, 8, false]]]);
    expect(judged).toMatchObject({ frames: 1, modules: 1, inlined: 0, equal: 1, differences: [] });
  });
  it.each([
    ["a line", [["f", "fs/proc/inode.c", 353, 8, false]]],
    ["a column", [["f", "fs/proc/inode.c", 352, 9, false]]],
    ["a file", [["f", "fs/inode.c", 352, 8, false]]],
    ["a name", [["g", "fs/proc/inode.c", 352, 8, false]]],
    [
      "an inlined function",
      [
        ["i", "fs/proc/inode.c", 1, 8, true],
        ["f", "fs/proc/inode.c", 352, 8, false],
      ],
    ],
    ["nothing on their side", []],
  ] as const)("tells another %s", (_what, theirs) =>
    expect(compareSources(ours, [theirs]).differences).toHaveLength(1),
  );
});
