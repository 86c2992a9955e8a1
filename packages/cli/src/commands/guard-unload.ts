import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { StepLine } from "../step-line.ts";
import { guardCommand, loadGuard, parseSeconds } from "./guard-command.ts";

interface DrainOptions {
  readonly wait?: string;
  readonly json?: boolean;
}

interface UnloadOptions extends DrainOptions {
  readonly drain?: boolean;
}

/** How long `unload --drain` waits where it is not told, in seconds. */
const WAIT = "30";

async function drainGuard(waitMs: number, { terminal }: Context): Promise<number> {
  const { drain, Host } = await loadGuard();
  const steps = new StepLine(terminal);
  const waiting = (inUse: number) => steps.show(`waiting for ${inUse} stacks in use`);
  return drain(new Host(), waitMs, waiting).finally(() => steps.clear());
}

export function registerGuardUnload(guard: Command, context: Context): void {
  const { terminal } = context;
  guardCommand(guard, {
    name: "drain",
    summary: "lets nobody switch any more, so that the pool runs empty",
    description:
      "From now on tasks go on on the stack they are on: as without the module. Those on extra stacks come back when their\n" +
      "calls end. `set drain off` ends it. Needs root. Exit status 5 where --wait was too short.",
    examples: [
      ["drain", "says how many stacks are still in use"],
      ["drain --wait 60", "until none is, a minute at most"],
    ],
  })
    .option("--wait <seconds>", "wait until no stack is in use, so long at most", "0")
    .action(async (options: DrainOptions) => {
      const inUse = await drainGuard(parseSeconds(options.wait ?? "0"), context);
      if (options.json) terminal.write(toJson({ draining: true, inUse }));
      else terminal.write(`draining: nobody switches any more, ${inUse} stacks in use\n`);
    });

  guardCommand(guard, {
    name: "unload",
    summary: "takes the module out of the kernel",
    description:
      "The kernel refuses while a stack is in use, or was just now. With --drain nobody switches any more, and the module is\n" +
      "taken out once the last task is back; where one does not come back in time, the message names it. Needs root.",
    examples: [
      ["unload", "if no stack is in use"],
      ["unload --drain --wait 120", "drain first, for two minutes at most"],
    ],
  })
    .option("--drain", "let nobody switch any more, and wait for the last task")
    .option("--wait <seconds>", `with --drain: how long at most (default: ${WAIT})`)
    .action(async (options: UnloadOptions) => {
      const { Host, unloadModule } = await loadGuard();
      if (options.drain || options.wait !== undefined) await drainGuard(parseSeconds(options.wait ?? WAIT), context);
      await unloadModule(new Host());
      terminal.write(options.json ? toJson({ loaded: false }) : "unloaded\n");
    });
}
