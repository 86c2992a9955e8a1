import pc from "picocolors";
import type { Terminal } from "../terminal.ts";

/** A terminal that keeps what is printed. */
export interface Recorder extends Terminal {
  readonly output: () => string;
  readonly errors: () => string;
}

export function recorder(options: { width?: number; color?: boolean; unicode?: boolean } = {}): Recorder {
  let output = "";
  let errors = "";
  return {
    width: options.width ?? 80,
    interactive: false,
    unicode: options.unicode ?? true,
    colors: pc.createColors(options.color ?? false),
    errorColors: pc.createColors(options.color ?? false),
    write(text) {
      output += text;
    },
    writeError(text) {
      errors += text;
    },
    output: () => output,
    errors: () => errors,
  };
}
