import { describe, expect, test } from "vitest";
import { resolveVariant, runName, variantMatrix } from "./lab-options.ts";

describe("resolveVariant", () => {
  test.each([
    [{}, { kernel: "6.12", capture: "qemu-elf", codec: null, la57: false }],
    [
      { kernel: "6.1", la57: true },
      { kernel: "6.1", capture: "qemu-elf", codec: null, la57: true },
    ],
    [{ capture: "qemu-kdump" }, { kernel: "6.12", capture: "qemu-kdump", codec: "zlib", la57: false }],
    [
      { capture: "kdump", codec: "lzo" },
      { kernel: "6.12", capture: "kdump", codec: "lzo", la57: false },
    ],
  ])("%j is %j", (request, variant) => expect(resolveVariant(request)).toEqual(variant));

  test.each([[{ kernel: "5.10" }], [{ capture: "netdump" }], [{ capture: "kdump", codec: "zip" }], [{ codec: "lzo" }]])(
    "%j is refused",
    (request) => {
      expect(() => resolveVariant(request)).toThrowError(
        expect.objectContaining({ code: "SPW_LAB_BAD_OPTION", class: "usage" }),
      );
    },
  );
});

describe("runName", () => {
  test.each([
    [{ kernel: "6.1" }, "bug-6.1-qemu-elf"],
    [{ capture: "kdump", codec: "lzo", la57: true }, "bug-6.12-kdump-lzo-la57"],
  ])("%j: %s", (request, name) => expect(runName("bug", resolveVariant(request))).toBe(name));

  test("no two variants of the matrix share a folder", () => {
    const names = variantMatrix().map((variant) => runName("bug", variant));
    expect(new Set(names).size).toBe(names.length);
  });
});
