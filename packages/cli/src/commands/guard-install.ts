import { SpillwayError } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { StepLine } from "../step-line.ts";
import { guardCommand, loadGuard } from "./guard-command.ts";
import { type ParameterOptions, parametersFrom, withParameterOptions } from "./guard-parameters.ts";

interface InstallOptions extends ParameterOptions {
  readonly kernel?: string;
  readonly boot?: boolean;
  readonly uninstall?: boolean;
  readonly json?: boolean;
}

async function install(options: InstallOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const { Host, installModule, writeBootFiles } = await loadGuard();
  const host = new Host();
  const release = options.kernel ?? host.release;
  // Before anything is done: what is wrong with them is told first. At boot no other module is sure to be there before it.
  const parameters = await parametersFrom(options, { release, modules: new Set() }, context);
  const parametersGiven = Object.keys(parameters).length > 0;
  if (parametersGiven && !options.boot) {
    throw new SpillwayError("SPW_USAGE", "the module's parameters are only written with --boot", {
      class: "usage",
      hint: "add --boot, or give them to spillway guard load",
    });
  }
  const steps = new StepLine(terminal);
  const result = await installModule(host, { release }, (step) => steps.show(step)).finally(() => steps.clear());
  const written = options.boot ? writeBootFiles(host, parameters) : [];
  if (options.json) {
    terminal.write(toJson({ ...result, bootFiles: written }));
    return;
  }
  terminal.write(`spillway ${result.version} is installed for ${release}; sources in ${result.sources}\n`);
  terminal.write("DKMS builds it again for every kernel that is installed from now on.\n");
  for (const path of written) terminal.write(`wrote ${path}\n`);
  if (options.boot) terminal.write("It is loaded at every boot from now on.\n");
  if (release === host.release) terminal.write("now: sudo spillway guard load\n");
}

async function uninstall(options: { readonly json?: boolean }, { terminal }: Context): Promise<void> {
  const { Host, isLoaded, removeBootFiles, uninstallModule } = await loadGuard();
  const host = new Host();
  const steps = new StepLine(terminal);
  const versions = await uninstallModule(host, (step) => steps.show(step)).finally(() => steps.clear());
  const removed = removeBootFiles(host);
  if (options.json) {
    terminal.write(toJson({ versions, removed, loaded: isLoaded(host) }));
    return;
  }
  for (const path of removed) terminal.write(`removed ${path}\n`);
  terminal.write(versions.length === 0 ? "spillway is not in DKMS\n" : `took out spillway ${versions.join(", ")}\n`);
  if (isLoaded(host)) terminal.write("It is still loaded: sudo spillway guard unload --drain\n");
}

export function registerGuardInstall(guard: Command, context: Context): void {
  const command = guardCommand(guard, {
    name: "install",
    summary: "installs the module by DKMS, so that new kernels get it too",
    description:
      "Puts the sources into /usr/src/spillway-VERSION and lets DKMS build and install the module, now and for every kernel\n" +
      "that is installed later. With --boot it is loaded at every boot, with the parameters given here: that writes\n" +
      "/etc/modules-load.d/spillway.conf and /etc/modprobe.d/spillway.conf. Needs root.",
    examples: [
      ["install", "for the running kernel and those to come"],
      ["install --boot --stacks 16", "and loaded at every boot, with 16 extra stacks"],
      ["uninstall", "takes all of it away again"],
    ],
  })
    .option("--kernel <release>", "the kernel to install for first (default: the one that runs)")
    .option("--boot", "load it at every boot")
    .option("--uninstall", "the same as `spillway guard uninstall`");
  withParameterOptions(command).action((options: InstallOptions) =>
    options.uninstall ? uninstall(options, context) : install(options, context),
  );
  guardCommand(guard, {
    name: "uninstall",
    summary: "takes the module out of DKMS, and what --boot wrote away",
    description: "Takes every version out of DKMS, and what `install --boot` wrote away. A loaded module stays loaded.",
    examples: [["uninstall", ""]],
  }).action((options: { json?: boolean }) => uninstall(options, context));
}
