import type { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT_CODES, EXIT_OK } from "../exit-code.ts";
import { formatCheck } from "../format/guard-check.ts";
import { toJson } from "../json.ts";
import { guardCommand, loadGuard } from "./guard-command.ts";

interface CheckOptions {
  readonly json?: boolean;
}

export function registerGuardCheck(guard: Command, context: Context): void {
  guardCommand(guard, {
    name: "check",
    summary: "can this machine run the module, and if not why",
    description:
      "Looks at the kernel, its build options, what is switched off or locked down, and whether a module can be built here.\n" +
      "Changes nothing and needs no root. Exit status: 0 if the module can run here, 3 if not; the reasons say what to do.",
    examples: [
      ["check", "every check, with what to do about it"],
      ["check --json", '{"ok": …, "reasons": […], …} for a program'],
    ],
  }).action(async (options: CheckOptions) => {
    const { checkMachine, Host } = await loadGuard();
    const check = checkMachine(new Host());
    context.terminal.write(options.json ? toJson(check) : formatCheck(check, context.terminal));
    context.exitWith?.(check.ok ? EXIT_OK : EXIT_CODES.input);
  });
}
