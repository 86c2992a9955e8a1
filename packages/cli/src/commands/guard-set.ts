import { SpillwayError } from "@spillway/core";
import type { GuardState, Host } from "@spillway/guard";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { toJson } from "../json.ts";
import { thousands } from "../text/hex.ts";
import { guardCommand, loadGuard, parseWhole } from "./guard-command.ts";

type Guard = Awaited<ReturnType<typeof loadGuard>>;

/** Something that can be changed while the module runs. */
interface Control {
  readonly name: string;
  readonly value: string;
  /** Checks the value's form, then changes it. */
  readonly set: (guard: Guard, host: Host, value: string) => void;
  /** What is so now. */
  readonly now: (state: GuardState) => string;
}

function onOrOff(value: string): boolean {
  if (value === "on" || value === "off") return value === "on";
  throw new SpillwayError("SPW_USAGE", `drain is on or off, not "${value}"`, { class: "usage" });
}

const CONTROLS: readonly Control[] = [
  {
    name: "total",
    value: "N",
    set: (guard, host, value) => guard.setTotal(host, parseWhole(value, "a number of stacks")),
    now: ({ total, inUse }) => `the pool has ${total} extra stacks, ${inUse} in use`,
  },
  {
    name: "threshold",
    value: "BYTES",
    set: (guard, host, value) => guard.setThreshold(host, parseWhole(value, "a number of bytes")),
    now: ({ thresholdBytes, stackBytes }) =>
      `critical points switch above ${thousands(thresholdBytes)} of ${thousands(stackBytes)} bytes`,
  },
  {
    name: "drain",
    value: "on|off",
    set: (guard, host, value) => guard.setDrain(host, onOrOff(value)),
    now: ({ draining, inUse }) =>
      draining ? `draining: nobody switches, ${inUse} stacks still in use` : "not draining: critical points switch",
  },
  {
    name: "reset",
    value: "high-water",
    set: (guard, host, value) => {
      if (value === "high-water") return guard.resetHighWater(host);
      throw new SpillwayError("SPW_USAGE", `only high-water can be reset, not "${value}"`, { class: "usage" });
    },
    now: ({ highWater }) => `most stacks in use at once, from now on: ${highWater}`,
  },
];

export function registerGuardSet(guard: Command, context: Context): void {
  const controls = CONTROLS.map(({ name, value }) => `${name} ${value}`).join(", ");
  guardCommand(guard, {
    name: "set",
    summary: `changes the loaded module: ${controls}`,
    description:
      `Changes the loaded module: ${controls}.\n` +
      "What the module refuses (out of range, fewer stacks than are in use) changes nothing. Needs root.",
    examples: [
      ["set total 32", "32 extra stacks; fewer than are in use is refused"],
      ["set threshold 10240", "switch above so many bytes of a stack"],
      ["set drain on", "nobody switches any more, to unload the module"],
      ["set reset high-water", "count the most in use anew"],
    ],
  })
    .argument("<what>", "total, threshold, drain or reset")
    .argument("<value>", "what it becomes")
    .action(async (what: string, value: string, options: { json?: boolean }) => {
      const control = CONTROLS.find(({ name }) => name === what);
      if (control === undefined) {
        throw new SpillwayError("SPW_USAGE", `"${what}" cannot be set`, {
          class: "usage",
          hint: `there are: ${controls}`,
        });
      }
      const library = await loadGuard();
      const host = new library.Host();
      control.set(library, host, value);
      const state = library.readState(host);
      context.terminal.write(options.json ? toJson(state) : `${control.now(state)}\n`);
    });
}
