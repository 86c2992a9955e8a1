import type { Command } from "commander";
import type { Context } from "../context.ts";
import { registerGuardBuild } from "./guard-build.ts";
import { registerGuardCheck } from "./guard-check.ts";
import { registerGuardInstall } from "./guard-install.ts";
import { registerGuardLoad } from "./guard-load.ts";
import { registerGuardMetrics } from "./guard-metrics.ts";
import { registerGuardSet } from "./guard-set.ts";
import { registerGuardStatus } from "./guard-status.ts";
import { registerGuardUnload } from "./guard-unload.ts";

/** Its commands, in the order of a life with it. */
const COMMANDS = [
  registerGuardCheck,
  registerGuardBuild,
  registerGuardInstall,
  registerGuardLoad,
  registerGuardStatus,
  registerGuardSet,
  registerGuardMetrics,
  registerGuardUnload,
] as const;

/** `spillway guard`: the kernel module that gives tasks extra stacks, on this machine. */
export function registerGuard(program: Command, context: Context): void {
  const guard = program
    .command("guard")
    .helpCommand(false)
    .summary("extra kernel stacks on this machine, so that it survives an overflow")
    .description(
      "Looks after spillway.ko: at a few critical points, a task whose kernel stack is nearly full goes on on an extra\n" +
        "stack from a small pool; if the pool is empty the call fails with EIO. Either beats crashing the machine.",
    )
    .addHelpText(
      "after",
      `
Examples:
  spillway guard check               can this machine run it, and if not why
  sudo spillway guard install        by DKMS, so that new kernels get it too
  sudo spillway guard load           switch from now on
  spillway guard status --watch      see what it does
  sudo spillway guard unload --drain

docs/guard.md has the whole story.`,
    );
  for (const register of COMMANDS) register(guard, context);
}
