/**
 * How far the typed sets of indirect calls can be trusted: of the calls that a kernel made while ftrace's function tracer
 * watched (a recording of bench/budget/recall.ts), those made through a slot that is known, to a function that is not in its
 * set but only fits its prototype.
 *
 *     node_modules/.bin/node bench/budget/typed-recall.ts FOLDER
 */
import { join } from "node:path";
import { analyseProgram } from "@spillway/core";
import { openProgramFile } from "../../packages/cli/src/io/open-program.ts";
import { CallMatcher } from "../../packages/core/src/budget/truth/call-matcher.ts";
import { readCalls } from "../../packages/core/src/budget/truth/read-recording.ts";
import { openTraceRecording } from "../../packages/lab/src/trace/trace-recording.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: typed-recall.ts FOLDER");
  process.exit(2);
}
const recording = await openTraceRecording(folder);
const graph = analyseProgram(openProgramFile(join(folder, "stacks.vmcore")));
const matcher = new CallMatcher(graph);
const { sites, sets, functions } = graph;
let inSet = 0;
const missing: string[] = [];
for (const { returnAddress, callee } of readCalls(recording.calls)) {
  const f = matcher.functionAt(callee);
  if (f < 0) continue;
  const { found, sites: possible } = matcher.matchCall(returnAddress, f);
  const site = possible.find((one) => sites.typedSet[one]! >= 0);
  if (site === undefined) continue;
  if (found === "typed") inSet++;
  if (found !== "assumed") continue;
  const label = sets.label[sites.typedSet[site]!];
  missing.push(`${functions.name[sites.caller[site]!]} (${label}) -> ${functions.name[f]}`);
}
console.log(`${recording.release}: ${inSet} calls to functions in the typed set, ${missing.length} to others`);
console.log(missing.sort().join("\n"));
