import { SpillwayError } from "../../errors.ts";
import type { ArrivalLaw } from "./laws.ts";

/**
 * Arrivals at critical points out of the text of an ftrace recording (`trace` or `trace_pipe` of tracefs). Three kinds of lines are
 * read, and all others passed over, however damaged:
 *
 *     cat-812  [001] .....  52.104713: p_vfs_write_0: (vfs_write+0x0/0x3f0)                 kprobe: an arrival
 *     cat-812  [001] .....  52.104731: r_vfs_write_0: (ksys_write+0x6b/0xf0 <- vfs_write)   kretprobe: its return
 *     cat-812  [001] .....  52.104713: vfs_write <-ksys_write                               function: an arrival
 *       52.104713 |  1)  cat-812  | + 18.204 us |  vfs_write();        function_graph with funcgraph-abstime: both
 *
 * Of function_graph only leaves are read (set max_graph_depth to 1), as only they have their duration on the line of their beginning.
 */
export interface TraceReading {
  readonly arrivals: ArrivalLaw & { readonly kind: "trace" };
  /** Lines that were arrivals or returns, and lines that were neither. */
  readonly linesRead: number;
  readonly linesPassedOver: number;
  /** Arrivals whose return is not in the recording. */
  readonly withoutReturn: number;
}

/** As a simulation is bounded by events, so is what it reads. */
const MOST_ARRIVALS = 50_000_000;

const EVENT =
  /^\s*(.{1,64}?)-(\d{1,10})\s+(?:\([^)]{1,16}\)\s+)?\[\d{1,5}\]\s+(?:[^\s:]{1,16}\s+)?(\d{1,12}\.\d{1,9}):\s+(.*)$/;
const PROBE =
  /^[\w.$-]{1,128}:\s+\(([^\s()+]{1,256})\+0x[0-9a-fA-F]{1,16}(?:\/0x[0-9a-fA-F]{1,16})?(?:\s+\[[^\]]{1,64}\])?\)/;
const RETURN_PROBE =
  /^[\w.$-]{1,128}:\s+\([^\s()]{1,300}(?:\s+\[[^\]]{1,64}\])?\s+<-\s+([^\s()+]{1,256})(?:\+0x[0-9a-fA-F]+(?:\/0x[0-9a-fA-F]+)?)?(?:\s+\[[^\]]{1,64}\])?\)/;
const FUNCTION = /^([\w.$]{1,256})(?:\s+\[[^\]]{1,64}\])?\s+<-\s?[\w.$]{1,256}/;
const GRAPH =
  /^\s*(\d{1,12}\.\d{1,9})\s+\|\s+\d{1,5}\)\s+(?:\S.{0,64}?-\d{1,10}\s+\|\s+)?[-+!#*@$ ]{0,3}(\d{1,12}(?:\.\d{1,9})?)\s+us\s+\|\s+([\w.$]{1,256})\([^{}]{0,512}\);/;

interface Arrival {
  readonly time: number;
  /** Seconds; NaN until its return is met. */
  hold: number;
}

export interface FtraceOptions {
  /** Only these functions; null: all that are in it. */
  readonly points: ReadonlySet<string> | null;
  /** Hold times are wanted too: leave out what has none. Else all arrivals count, and no hold times are given. */
  readonly holds: boolean;
}

/**
 * @param path for messages
 * @throws SpillwayError SPW_SIMULATE_BAD_FILE where there is no arrival in it
 */
export function readFtrace(text: string, path: string, { points, holds }: FtraceOptions): TraceReading {
  const arrivals: Arrival[] = [];
  /** Arrivals that have not returned, by task and function, innermost last. */
  const open = new Map<string, Arrival[]>();
  let linesRead = 0;
  let linesPassedOver = 0;
  const wanted = (name: string): boolean => points === null || points.has(name);
  const arrive = (time: number, hold: number): Arrival => {
    if (arrivals.length >= MOST_ARRIVALS)
      throw invalid(path, `more than ${MOST_ARRIVALS} arrivals`, "Cut the recording.");
    const arrival = { time, hold };
    arrivals.push(arrival);
    return arrival;
  };
  for (const line of lines(text)) {
    const graph = GRAPH.exec(line);
    if (graph !== null && wanted(graph[3]!)) {
      arrive(Number(graph[1]), Number(graph[2]) * 1e-6);
      linesRead++;
      continue;
    }
    const event = graph === null ? EVENT.exec(line) : null;
    const [pid, time, what] = event === null ? ["", 0, ""] : [event[2]!, Number(event[3]), event[4]!];
    const returned = RETURN_PROBE.exec(what)?.[1];
    const entered = returned === undefined ? (PROBE.exec(what)?.[1] ?? FUNCTION.exec(what)?.[1]) : undefined;
    const name = returned ?? entered;
    if (name === undefined || !wanted(name)) {
      if (line.trim() !== "") linesPassedOver++;
      continue;
    }
    linesRead++;
    const key = `${pid} ${name}`;
    if (entered !== undefined) {
      const waiting = open.get(key);
      const arrival = arrive(time, Number.NaN);
      if (waiting === undefined) open.set(key, [arrival]);
      else waiting.push(arrival);
      continue;
    }
    // A return whose beginning was before the recording belongs to nobody.
    const begun = open.get(key)?.pop();
    if (begun !== undefined) begun.hold = Math.max(0, time - begun.time);
  }
  if (arrivals.length === 0) {
    throw invalid(
      path,
      "there are no arrivals in it",
      "Record kprobes and kretprobes of the critical points, or function_graph with funcgraph-abstime and max_graph_depth 1.",
    );
  }
  arrivals.sort((one, other) => one.time - other.time);
  const known = arrivals.filter(({ hold }) => !Number.isNaN(hold));
  if (holds && known.length === 0) {
    throw invalid(
      path,
      "no arrival in it has a hold time",
      "Record the returns too (kretprobes), or name a law with --hold.",
    );
  }
  const kept = holds ? known : arrivals;
  const start = kept[0]!.time;
  return {
    arrivals: {
      kind: "trace",
      times: Float64Array.from(kept, ({ time }) => time - start),
      holds: holds ? Float64Array.from(kept, ({ hold }) => hold) : null,
    },
    linesRead,
    linesPassedOver,
    withoutReturn: arrivals.length - known.length,
  };
}

/** One line after the other, of a text too long to be split at once. Lines longer than any of ftrace's are cut. */
function* lines(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    const newline = text.indexOf("\n", from);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(from, Math.min(end, from + 1024));
    from = end + 1;
  }
}

function invalid(path: string, what: string, hint: string): SpillwayError {
  return new SpillwayError("SPW_SIMULATE_BAD_FILE", `${path}: ${what}`, { facts: { path }, hint });
}
