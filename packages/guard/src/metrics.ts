/**
 * The module's state as Prometheus text (exposition format 0.0.4), for node_exporter's textfile collector.
 * Names end in their unit, counters in `_total`; https://prometheus.io/docs/practices/naming/
 */
import type { GuardState, HoldBucket, OccupancyBucket } from "./guard-state.ts";

type MetricType = "gauge" | "counter" | "histogram";
type Labels = Readonly<Record<string, string>>;

/** A label's value, with what the format wants escaped. */
export function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function sample(name: string, labels: Labels, value: number): string {
  const words = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${words.length === 0 ? "" : `{${words.join(",")}}`} ${value}\n`;
}

function family(name: string, type: MetricType, help: string, samples: readonly string[]): string {
  if (samples.length === 0) return "";
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.join("")}`;
}

/** One number; none where the module does not say it. */
function single(name: string, type: MetricType, help: string, value: number | null): string {
  return family(name, type, help, value === null ? [] : [sample(name, {}, value)]);
}

/** Observations of a histogram: each `count` of them are at most `value`, in the histogram's unit. */
interface Observed {
  readonly value: number;
  readonly count: number;
}

/** A histogram with the same bounds at every scrape, whatever was observed. */
function histogram(name: string, help: string, bounds: readonly number[], observed: readonly Observed[]): string {
  const upTo = (bound: number): number =>
    observed.filter(({ value }) => value <= bound).reduce((sum, { count }) => sum + count, 0);
  const count = observed.reduce((total, one) => total + one.count, 0);
  const sum = observed.reduce((total, one) => total + one.value * one.count, 0);
  return family(name, "histogram", help, [
    ...bounds.map((bound) => sample(`${name}_bucket`, { le: String(bound) }, upTo(bound))),
    sample(`${name}_bucket`, { le: "+Inf" }, count),
    sample(`${name}_sum`, {}, sum),
    sample(`${name}_count`, {}, count),
  ]);
}

/** Powers of two nanoseconds from a microsecond to a minute or so, in seconds. */
const HOLD_BOUNDS = Array.from({ length: 27 }, (_, index) => 2 ** (index + 10) / 1e9);
/** Powers of two up to the most stacks there can be. */
const OCCUPANCY_BOUNDS = Array.from({ length: 11 }, (_, index) => 2 ** index);

/**
 * The module's buckets begin at powers of two of the CPU's cycles. Each goes to a fixed bound that its longest observation
 * does not exceed: shares at a bound are never overstated, and the sum is an upper bound.
 */
function holdObserved(hold: readonly HoldBucket[]): Observed[] {
  return hold.map(({ atLeastNs, count }) => ({ value: (2 * atLeastNs) / 1e9, count }));
}

function occupancyObserved(occupancy: readonly OccupancyBucket[]): Observed[] {
  return occupancy.map(({ stacks, count }) => ({ value: stacks, count }));
}

/** What a scrape of a machine gets whose module is not loaded: enough to alert on. */
export function metricsNotLoaded(): string {
  return single("spillway_loaded", "gauge", "Whether spillway.ko is loaded.", 0);
}

/** The state as one text; it ends with a line end, as the collector wants it. */
export function formatMetrics(state: GuardState): string {
  const points = (
    name: string,
    type: MetricType,
    help: string,
    pick: (point: GuardState["points"][number]) => number,
  ) =>
    family(
      name,
      type,
      help,
      state.points.map((point) => sample(name, { point: point.name }, pick(point))),
    );
  const info = { version: state.moduleVersion ?? "", kernel: state.kernel };
  return [
    single("spillway_loaded", "gauge", "Whether spillway.ko is loaded.", 1),
    family("spillway_info", "gauge", "Releases of the module and of the kernel; always 1.", [
      sample("spillway_info", info, 1),
    ]),
    single("spillway_stacks", "gauge", "Extra kernel stacks in the pool.", state.total),
    single("spillway_stacks_free", "gauge", "Extra stacks that nobody uses.", state.free),
    single("spillway_stacks_in_use", "gauge", "Extra stacks that tasks are on.", state.inUse),
    single("spillway_stacks_in_use_max", "gauge", "Most extra stacks in use at once.", state.highWater),
    single("spillway_stack_size_bytes", "gauge", "Size of a kernel stack.", state.stackBytes),
    single("spillway_threshold_bytes", "gauge", "Use of a stack above which to switch.", state.thresholdBytes),
    single("spillway_draining", "gauge", "Whether switching is off, to unload the module.", state.draining ? 1 : 0),
    single("spillway_switches_total", "counter", "Switches to an extra stack.", state.switches),
    single("spillway_refusals_total", "counter", "Calls failed with EIO as no stack was free.", state.refusals),
    single("spillway_migrations_total", "counter", "Tasks that changed CPU on an extra stack.", state.migrated),
    single("spillway_reaped_stacks_total", "counter", "Stacks taken back from tasks that died on them.", state.reaped),
    single("spillway_extra_stack_deepest_bytes", "gauge", "Deepest use of any extra stack.", state.deepestBytes),
    points("spillway_point_calls_total", "counter", "Calls of a critical point.", (point) => point.calls),
    points("spillway_point_switches_total", "counter", "Switches at a critical point.", (point) => point.switches),
    points("spillway_point_refusals_total", "counter", "Calls of a point failed with EIO.", (point) => point.refusals),
    points(
      "spillway_point_deepest_bytes",
      "gauge",
      "Deepest stack at a critical point.",
      (point) => point.deepestBytes,
    ),
    histogram(
      "spillway_occupancy_stacks",
      "Extra stacks in use, right after each switch.",
      OCCUPANCY_BOUNDS,
      occupancyObserved(state.occupancy),
    ),
    histogram(
      "spillway_hold_seconds",
      "How long stacks were held, each rounded up to what it was at most.",
      HOLD_BOUNDS,
      holdObserved(state.hold),
    ),
  ].join("");
}
