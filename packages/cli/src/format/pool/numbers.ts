/** Numbers of simulations, as a person reads them. */

/** A probability: `12.2 %`, `0.0342 %`, `3.1e-6`. */
export function formatProbability(value: number): string {
  if (value === 0) return "0";
  if (value < 1e-4) return value.toExponential(1).replace("e-0", "e-").replace(/\.0e/, "e");
  return `${Number((100 * value).toPrecision(3))} %`;
}

/** Seconds: `250 µs`, `1.50 s`. */
export function formatSeconds(value: number, unicode: boolean): string {
  if (value === 0) return "0 s";
  const units: readonly (readonly [number, string])[] = [
    [1, "s"],
    [1e-3, "ms"],
    [1e-6, unicode ? "µs" : "us"],
    [1e-9, "ns"],
  ];
  const [unit, name] = units.find(([unit]) => value >= unit * 0.9995) ?? units[3]!;
  const number = value / unit;
  return `${number >= 1e5 ? number.toExponential(2) : Number(number.toPrecision(3))} ${name}`;
}

/** Bytes: `16,384 bytes`, `165 KiB`, `12.4 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1 << 20) return `${Math.ceil(bytes / 1024)} KiB`;
  const [size, unit] = bytes < 2 ** 30 ? [bytes / 2 ** 20, "MiB"] : [bytes / 2 ** 30, "GiB"];
  return `${Number(size.toPrecision(3))} ${unit}`;
}

/** A mean: three digits that count. */
export function formatMean(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}
