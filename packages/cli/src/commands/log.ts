import { SpillwayError } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatLogRecord, type LogStyle } from "../format/log.ts";
import { toJson } from "../json.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface LogOptions extends DumpOptions {
  readonly T?: boolean;
  readonly t?: boolean;
  readonly m?: boolean;
  readonly caller?: boolean;
}

export function registerLog(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "log",
    summary: "the kernel's log, oldest record first",
    examples: [
      ["log vmcore", "as dmesg shows it"],
      ["log vmcore -T | tail -40", "the last records with the date"],
      ["log vmcore -m -c", "with level, and with the task or CPU that wrote each"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .option("-T", "date and time (UTC) instead of seconds since boot; only as exact as the kernel's uptime")
    .option("-t", "no timestamps")
    .option("-m", "the log level before each record")
    .option("-c, --caller", "the task (T) or CPU (C) that wrote each record, where the kernel recorded it")
    .action((files: string[], options: LogOptions) => {
      if (options.T && options.t) {
        throw new SpillwayError("SPW_USAGE", "-T and -t exclude each other", { class: "usage" });
      }
      const { kernel } = openAll(context, files, options);
      const records = kernel.log();
      if (options.json) {
        context.terminal.write(toJson(records.map((record) => ({ ...record, timestamp: Number(record.timestamp) }))));
        return;
      }
      const bootTime =
        kernel.crashTime === null || kernel.uptimeSeconds === null
          ? null
          : Date.parse(kernel.crashTime) - kernel.uptimeSeconds * 1000;
      if (options.T && bootTime === null) {
        throw new SpillwayError("SPW_TIME_UNKNOWN", "the dump does not say when the machine booted", {
          class: "missing",
          hint: "without -T, log shows seconds since boot",
        });
      }
      if (records.length === 0) {
        throw new SpillwayError("SPW_LOG_MISSING", "the kernel's log could not be read from this dump", {
          class: "missing",
          hint: kernel.problems[0] ?? "its pages may have been left out when the dump was written",
        });
      }
      const style: LogStyle = {
        time: options.T ? "human" : options.t ? "none" : "kernel",
        level: options.m ?? false,
        caller: options.caller ?? false,
        bootTime,
      };
      context.terminal.write(records.map((record) => formatLogRecord(record, style)).join(""));
    });
}
