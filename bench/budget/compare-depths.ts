/**
 * ORC against the code, over every function of a kernel: in how many both say the same of every instruction, and why not in
 * the others.
 *
 *   node bench/budget/compare-depths.ts INPUT…        (vmlinux, vmlinuz or vmcore)
 */
import { buildCallGraph, compareDepths } from "@spillway/core";
import { openProgramFile } from "../../packages/cli/src/io/open-program.ts";

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(3)} %`;
}

for (const input of process.argv.slice(2)) {
  const program = openProgramFile(input);
  const graph = buildCallGraph(program);
  const compared = compareDepths(program, graph);
  const { functions, equalFunctions, instructions, equalInstructions, notReached, differences } = compared;
  process.stdout.write(
    `${program.release ?? input}\n` +
      `  functions     ${equalFunctions} of ${functions} equal, ${percent(equalFunctions, functions)}\n` +
      `  instructions  ${equalInstructions} of ${instructions} equal, ${percent(equalInstructions, instructions)}\n` +
      `  ${notReached} more have ORC, but no path through the code leads to them\n`,
  );
  for (const { name, address, register, orcBytes, codeBytes, instructions: count, cause } of differences) {
    const at = (0x100000000 + address).toString(16).slice(-8);
    process.stdout.write(
      `  ${cause.padEnd(20)}  ${name} at ffffffff${at}: ${register} ${orcBytes} by ORC, ${codeBytes} by the code; ${count} instructions\n`,
    );
  }
}
