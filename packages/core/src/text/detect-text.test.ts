import { expect, it } from "vitest";
import { detectEvidence } from "./detect-text.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

it.each([
  ["KDUMP   \x06\0\0\0", "dump"],
  ["\x7fELF\x02\x01\x01\0", "dump"],
  ["makedumpfile\0\0\0\0\0\0\0\0\0\0\0\x01", "dump"],
  ["\x1f\x8b\x08\0", "packed"],
  ["\x28\xb5\x2f\xfd\x04", "packed"],
  ["\xfd7zXZ\0\0\x04", "packed"],
  ["[    0.000000] Linux version 6.1.0\n", "text"],
  ["\x1b[31m[    0.000000] Linux version 6.1.0\x1b[0m\r\n", "text"],
  ["\0\0\0\0\0\0\0\0[    0.000000] Linux version\n", "text"],
  ["na\xefve caf\xe9 in Latin-1\n", "text"],
  ["\xff\xfe[\0 \x000\0.\x000\0]\0", "text"],
  ["makedumpfile is a program, and this is a text about it\n", "text"],
  ["", "other"],
  ["\0\0\0\0", "other"],
  [String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index)).repeat(4), "other"],
])("%j: %s", (head, form) => {
  expect(detectEvidence(bytes(head))).toBe(form);
});
