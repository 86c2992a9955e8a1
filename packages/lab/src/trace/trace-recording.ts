import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What `recordTrace` left in a folder, as texts; empty where a watch was not asked for. */
export interface TraceRecording {
  readonly release: string;
  readonly calls: string;
  readonly nestings: string;
  readonly stacks: string;
  readonly stackTracer: string;
  /** Names of the functions that ftrace can see, those of modules without the module's name. */
  readonly traceable: ReadonlySet<string>;
}

export async function openTraceRecording(folder: string): Promise<TraceRecording> {
  const text = (path: string): Promise<string> => readFile(join(folder, path), "latin1").catch(() => "");
  const names = (await text("traceable")).split("\n").map((line) => line.split(" ")[0] ?? "");
  return {
    release: (await text("release")).trim(),
    calls: await text("calls/calls"),
    nestings: await text("nests/nests"),
    stacks: await text("stacks/stacks"),
    stackTracer: await text("depths/stack_trace"),
    traceable: new Set(names),
  };
}
