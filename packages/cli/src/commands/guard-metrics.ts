import type { Command } from "commander";
import type { Context } from "../context.ts";
import { writeWhole } from "../io/output-file.ts";
import { guardCommand, loadGuard } from "./guard-command.ts";

interface MetricsOptions {
  readonly output?: string;
}

export function registerGuardMetrics(guard: Command, context: Context): void {
  guardCommand(guard, {
    name: "metrics",
    noJson: true,
    summary: "the counters as Prometheus text, for node_exporter's textfile collector",
    description:
      "Prints the module's state in Prometheus' text format; with -o into a file that is replaced as a whole, as node_exporter's\n" +
      "textfile collector wants it. Where the module is not loaded there is one metric, spillway_loaded 0, and no error.",
    examples: [
      ["metrics", ""],
      ["metrics -o /var/lib/prometheus/node-exporter/spillway.prom", "from cron or a systemd timer"],
    ],
  })
    .option("-o, --output <file>", "the file to write; replaced as a whole")
    .action(async (options: MetricsOptions) => {
      const { formatMetrics, Host, isLoaded, metricsNotLoaded, readState } = await loadGuard();
      const host = new Host();
      const text = isLoaded(host) ? formatMetrics(readState(host)) : metricsNotLoaded();
      const { output } = options;
      if (output === undefined) context.terminal.write(text);
      else writeWhole(output, true, (sink) => sink(0, Buffer.from(text)));
    });
}
