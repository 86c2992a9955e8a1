/** The smallest, the middle and the largest of a set of measurements, in the unit they were given in. */
export interface Summary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly values: readonly number[];
}

/** The middle value; of an even number of values, the mean of the two in the middle. Throws a RangeError on none at all. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the median of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Minimum, median and maximum; `values` keeps the order of the runs. Throws a RangeError on no values. */
export function summarise(values: readonly number[]): Summary {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values), values };
}
