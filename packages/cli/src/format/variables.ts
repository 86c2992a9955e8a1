import type { SourceFrame } from "@spillway/core";
import {
  formatDeclaration,
  formatValue,
  type Kernel,
  plainValue,
  type ValueStyle,
  type Variable,
  variableValue,
} from "@spillway/core";
import { printable } from "../text/printable.ts";

const MARGIN = 8;
/** Lines of one value; `struct` shows the rest. */
const MAX_LINES = 16;

/** The variables of each function of a frame: those that were inlined first, in the order of `source`. */
export function variablesByFunction(
  source: readonly SourceFrame[],
  variables: readonly Variable[],
): readonly (readonly Variable[])[] {
  let next = 0;
  return source.map((one) => {
    const start = next;
    while (next < variables.length && variables[next]!.function === one.function) next++;
    return variables.slice(start, next);
  });
}

/** Variables one a line, `type name = value`, parameters first; those that are lost say why. */
export function formatVariables(kernel: Kernel, variables: readonly Variable[], style: ValueStyle): string {
  const parameters = variables.filter((one) => one.kind === "parameter");
  const locals = variables.filter((one) => one.kind === "local");
  return [...parameters, ...locals].map((one) => formatVariable(kernel, one, style)).join("");
}

function formatVariable(kernel: Kernel, variable: Variable, style: ValueStyle): string {
  const { place } = variable;
  const missing = place.kind === "value" ? "optimised out" : "not in the dump";
  const value = variableValue(kernel.memory, variable);
  const text =
    value === null || place.kind === "lost"
      ? `<${place.kind === "lost" ? place.why : missing}>`
      : formatValue(value, { ...style, missing }, MARGIN);
  const lines = `${formatDeclaration(variable.type, variable.name)} = ${text}`.split("\n");
  const left = lines.length - MAX_LINES;
  const shown = left > 1 ? [...lines.slice(0, MAX_LINES), `${" ".repeat(MARGIN + 2)}… ${left} lines more`] : lines;
  return `${" ".repeat(MARGIN)}${printable(shown.join("\n"), { keepLines: true })}\n`;
}

/** What `--json` prints of a variable. */
export function plainVariable(kernel: Kernel, variable: Variable) {
  const { name, kind, place, size } = variable;
  const value = variableValue(kernel.memory, variable);
  return {
    name,
    kind,
    function: variable.function,
    type: formatDeclaration(variable.type, ""),
    size,
    address: place.kind === "memory" ? place.address : null,
    // What has no address: the bytes, little-endian; null for one that is lost.
    bytes: place.kind === "value" ? place.bytes : null,
    value: value === null ? null : plainValue(value),
    lost: place.kind === "lost" ? place.why : null,
    declared: variable.declared,
  };
}
