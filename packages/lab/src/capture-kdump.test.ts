import { describe, expect, test } from "vitest";
import { codecEnabled } from "./capture-kdump.ts";

const HELP = `LZO support:
  enabled
snappy support:
  disabled ('-p' option will be ignored.)
zstd support:
  disabled ('-z' option will be ignored.)
`;

describe("codecEnabled", () => {
  test.each([
    ["zlib", true],
    ["lzo", true],
    ["snappy", false],
  ] as const)("%s: %s", (codec, expected) => expect(codecEnabled(HELP, codec)).toBe(expected));
});
