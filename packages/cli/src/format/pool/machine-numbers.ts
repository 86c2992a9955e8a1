/** Figures of `simulate machine`, short enough for a table of 80 columns. */
import type { Frequency } from "@spillway/core";
import { thousands } from "../../text/hex.ts";

/** Two digits that count, or all of a whole number; nothing smaller than a hundredth: 0, 0.42, 5.1, 318, 12,345, 318k, 1M. */
export function figure(value: number): string {
  if (value < 0.005) return "0";
  if (value >= 999_500) return `${Number((value / 1e6).toPrecision(2))}M`;
  if (value >= 99_500) return `${Math.round(value / 1000)}k`;
  if (value >= 100) return thousands(Math.round(value));
  if (value >= 10) return String(Math.round(value));
  return String(Number(value.toFixed(value < 1 ? 2 : 1)));
}

/** Events a million: "318 (250–390)"; none: "0 (<7.1)"; nothing to count: "-". */
export function million(frequency: Frequency): string {
  return within(frequency, 1e6, "");
}

/** In per cent: "14.3 % (13.9–14.7)". */
export function perCent(frequency: Frequency): string {
  return within(frequency, 100, " %");
}

function within({ count, of, probability, ci99 }: Frequency, scale: number, unit: string): string {
  if (of === 0) return "-";
  const [low, high] = ci99.map((bound) => bound * scale) as [number, number];
  if (count === 0) return `0${unit} (<${high >= 0.01 ? figure(high) : Number(high.toPrecision(1))})`;
  return `${figure(probability * scale)}${unit} (${figure(low)}-${figure(high)})`;
}

/** "78.1 MiB". */
export function sizeOf(bytes: number): string {
  const [size, unit] =
    bytes >= 2 ** 30 ? [bytes / 2 ** 30, "GiB"] : bytes >= 2 ** 20 ? [bytes / 2 ** 20, "MiB"] : [bytes / 1024, "KiB"];
  return `${Number(size.toPrecision(size >= 100 ? 4 : 3))} ${unit}`;
}
