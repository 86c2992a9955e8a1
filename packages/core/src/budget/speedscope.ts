/**
 * Paths as a profile for speedscope (https://www.speedscope.app/file-format-schema.json, "sampled" profiles), in bytes of stack
 * in place of time: every function is as wide as the stack from its frame to the end of its path, and its own part is its frame.
 */
import type { PathStep } from "./budget-document.ts";

export interface NamedPath {
  readonly name: string;
  /** Bytes in use before the first step. */
  readonly baseBytes: number;
  readonly steps: readonly PathStep[];
}

export interface SpeedscopeFile {
  readonly $schema: "https://www.speedscope.app/file-format-schema.json";
  readonly name: string;
  readonly exporter: string;
  readonly activeProfileIndex: number;
  readonly shared: { readonly frames: readonly { readonly name: string; readonly file?: string }[] };
  readonly profiles: readonly {
    readonly type: "sampled";
    readonly name: string;
    readonly unit: "bytes";
    readonly startValue: number;
    readonly endValue: number;
    readonly samples: readonly (readonly number[])[];
    readonly weights: readonly number[];
  }[];
}

/** One profile a path. `file` of a frame is its module, by which speedscope colours. */
export function toSpeedscope(name: string, exporter: string, paths: readonly NamedPath[]): SpeedscopeFile {
  const frames: { name: string; file?: string }[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (step: { readonly function: string; readonly module: string | null }): number => {
    const key = `${step.function}\0${step.module ?? ""}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = frames.length;
      frames.push(step.module === null ? { name: step.function } : { name: step.function, file: step.module });
      numbers.set(key, number);
    }
    return number;
  };
  const profiles = paths.map((path) => {
    const samples: number[][] = [];
    const weights: number[] = [];
    const stack: number[] = [];
    const push = (number: number, bytes: number): void => {
      stack.push(number);
      if (bytes <= 0) return;
      samples.push([...stack]);
      weights.push(bytes);
    };
    if (path.baseBytes > 0) push(numberOf({ function: "(in use at the entry)", module: null }), path.baseBytes);
    for (const step of path.steps) push(numberOf(step), step.bytes);
    const endValue = weights.reduce((sum, bytes) => sum + bytes, 0);
    return {
      type: "sampled" as const,
      name: path.name,
      unit: "bytes" as const,
      startValue: 0,
      endValue,
      samples,
      weights,
    };
  });
  return {
    $schema: "https://www.speedscope.app/file-format-schema.json",
    name,
    exporter,
    activeProfileIndex: 0,
    shared: { frames },
    profiles,
  };
}
