import type { ConfigFile, Kernel } from "@spillway/core";
import { readConfig } from "../io/read-config.ts";

/** `--config` of the commands that use the kernel's build options. */
export interface ConfigOption {
  readonly config?: string;
}

export const CONFIG_HELP = "the kernel's configuration, where it carries none itself (`auto`: this machine's /boot)";

/** The configuration that was given, or null. @throws SpillwayError as `readConfig` */
export function configOf(options: ConfigOption, kernel: Pick<Kernel, "release">): ConfigFile | null {
  return options.config === undefined ? null : readConfig(options.config, kernel.release);
}
