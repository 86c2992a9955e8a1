import { expect, test } from "vitest";
import { librariesIn } from "./shared-libraries.ts";

test("the files in ldd's output are its libraries and the interpreter, each once", () => {
  const output = `	linux-vdso.so.1 (0x00007fbc53b5a000)
	liblzo2.so.2 => /lib/x86_64-linux-gnu/liblzo2.so.2 (0x00007fbc53abb000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fbc537f7000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fbc537f7000)
	/lib64/ld-linux-x86-64.so.2 (0x00007fbc53b5c000)
`;
  expect(librariesIn(output)).toEqual([
    "/lib/x86_64-linux-gnu/liblzo2.so.2",
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib64/ld-linux-x86-64.so.2",
  ]);
});
