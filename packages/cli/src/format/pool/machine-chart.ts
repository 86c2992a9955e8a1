/** What a chart of the page of `simulate machine` shows: data for the page's script, which draws it with uPlot. */

export interface Axis {
  readonly label: string;
  readonly log: boolean;
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Ends of its confidence interval. */
  readonly low?: number;
  readonly high?: number;
  /** Shown in the legend where the pointer is; without it, the value. */
  readonly told?: string;
}

export interface Series {
  readonly name: string;
  /** Number of its colour. */
  readonly colour: number;
  readonly points: readonly Point[];
  /** Points are marked, or it is a mere line. */
  readonly dots: boolean;
  /** Stays as it is from one point to the next. */
  readonly stepped: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Upright lines at places that matter. */
  readonly marks: readonly { readonly x: number; readonly text: string }[];
}

/** Powers of ten from `min` to `max`. */
export function decades(min: number, max: number, text: (value: number) => string): { at: number; text: string }[] {
  const first = Math.ceil(Math.log10(min) - 1e-9);
  const last = Math.floor(Math.log10(max) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
    const value = 10 ** (first + at);
    return { at: value, text: text(value) };
  });
}
