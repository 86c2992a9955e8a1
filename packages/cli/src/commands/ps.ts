import { SpillwayError } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatPsLine, formatStates, PS_HEADER, parentPids, selectTasks } from "../format/ps.ts";
import { toJson } from "../json.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface PsOptions extends DumpOptions {
  readonly k?: boolean;
  readonly u?: boolean;
  readonly G?: boolean;
  readonly A?: boolean;
  readonly S?: boolean;
}

export function registerPs(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "ps",
    summary: "the tasks; > marks those that were on a CPU",
    examples: [
      ["ps vmcore", "all tasks"],
      ["ps vmcore -A", "only those on a CPU"],
      ["ps vmcore 1 kswapd0", "by PID, task address or name"],
    ],
  })
    .argument("<file>", "the dump")
    .argument("[task...]", "PIDs, task_struct addresses or command names")
    .option("-k", "kernel threads only")
    .option("-u", "user tasks only")
    .option("-G", "thread group leaders only")
    .option("-A", "tasks on a CPU only")
    .option("-S", "count the tasks in each state")
    .action((file: string, names: string[], options: PsOptions) => {
      const { kernel } = openOne(context, file, options);
      const tasks = selectTasks(kernel.tasks(), {
        kernelOnly: options.k ?? false,
        userOnly: options.u ?? false,
        leadersOnly: options.G ?? false,
        activeOnly: options.A ?? false,
        names,
      });
      if (options.json) {
        context.terminal.write(toJson(tasks));
        return;
      }
      if (tasks.length === 0) {
        throw new SpillwayError("SPW_TASK_UNKNOWN", "no task in this dump is like that", {
          class: "missing",
          facts: { names },
          hint: "spillway ps FILE lists them all",
        });
      }
      if (options.S) {
        context.terminal.write(formatStates(tasks));
        return;
      }
      const parents = parentPids(kernel, tasks);
      const lines = tasks.map((task) => formatPsLine(task, parents.get(task.address) ?? null));
      context.terminal.write(PS_HEADER + lines.join(""));
    });
}
