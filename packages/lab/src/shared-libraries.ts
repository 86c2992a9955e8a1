import { runCommand, tryCommand } from "./command.ts";

/** The absolute paths in the output of `ldd`: the libraries and the program interpreter. */
export function librariesIn(lddOutput: string): string[] {
  const paths = lddOutput.split("\n").flatMap((line) => /(?:=>\s*)?(\/\S+)\s*\(0x/.exec(line)?.[1] ?? []);
  return [...new Set(paths)];
}

/** Every file that a program loads before it runs; none for a static one. */
export async function sharedLibraries(program: string): Promise<string[]> {
  const { status, stdout, stderr } = await tryCommand("ldd", [program]);
  if (/not a dynamic executable|statically linked/.test(stdout + stderr)) return [];
  return librariesIn(status === 0 ? stdout : await runCommand("ldd", [program]));
}
