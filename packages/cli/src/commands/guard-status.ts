import { setTimeout as sleep } from "node:timers/promises";
import type { GuardState } from "@spillway/guard";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatStatus, formatStatusLine } from "../format/guard-status.ts";
import { toJson } from "../json.ts";
import { guardCommand, loadGuard, parseSeconds, parseWhole } from "./guard-command.ts";

interface StatusOptions {
  readonly watch?: true | string;
  readonly count?: string;
  readonly tasks?: boolean;
  readonly json?: boolean;
}

/** How often --watch looks, in seconds. */
const INTERVAL = "2";
/** Moves to the upper left corner and clears from there on. */
const HOME_AND_CLEAR = "\x1b[H\x1b[J";

async function show(options: StatusOptions, { terminal }: Context): Promise<void> {
  const { Host, readState, stackUsers } = await loadGuard();
  const host = new Host();
  const users = options.tasks ? { tasks: stackUsers(host, 1000) } : {};
  const state = { ...readState(host), ...users };
  terminal.write(options.json ? toJson(state) : formatStatus(state, terminal));
}

/** Redraws on a terminal; elsewhere one line each time, as JSON one document a line. */
async function watch(options: StatusOptions, { terminal }: Context): Promise<void> {
  const { Host, readState } = await loadGuard();
  const interval = parseSeconds(options.watch === true ? INTERVAL : (options.watch ?? INTERVAL));
  const count = options.count === undefined ? Number.POSITIVE_INFINITY : parseWhole(options.count, "a count", 1);
  const host = new Host();
  let before: GuardState | null = null;
  for (let done = 0; done < count; done++) {
    if (done > 0) await sleep(interval);
    const state = readState(host);
    if (options.json) terminal.write(`${JSON.stringify(state)}\n`);
    else if (terminal.interactive) terminal.write(HOME_AND_CLEAR + formatStatus(state, terminal, before));
    else terminal.write(formatStatusLine(state, before, new Date()));
    before = state;
  }
}

export function registerGuardStatus(guard: Command, context: Context): void {
  guardCommand(guard, {
    name: "status",
    summary: "how many stacks are in use, and what each critical point did",
    description:
      "The pool and the critical points, as the loaded module counts them. No root needed. Exit status 4 where the module is\n" +
      "not loaded.",
    examples: [
      ["status", "once"],
      ["status --watch", "again and again; in a pipe a line each time"],
      ["status --watch 10 --json", "one JSON document a line, every 10 seconds"],
      ["status --tasks", "with the tasks that sleep on extra stacks (needs root)"],
    ],
  })
    .option("--watch [seconds]", `again and again (default: every ${INTERVAL} seconds)`)
    .option("--count <n>", "with --watch: end after so many times")
    .option("--tasks", "with the tasks that sleep on extra stacks; needs root")
    .action((options: StatusOptions) =>
      options.watch === undefined ? show(options, context) : watch(options, context),
    );
}
