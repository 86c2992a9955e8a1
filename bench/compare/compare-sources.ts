/** One function of the source at a frame: [name, file, line, column, inlined]. */
export type SourceRow = readonly [string | null, string | null, number, number, boolean];

export interface ProvenFrame {
  readonly address: string;
  /** As a return address: drgn takes one byte off again. */
  readonly pc: bigint;
  readonly module: string | null;
  /** Innermost first. */
  readonly rows: readonly SourceRow[];
}

interface PrintedLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number | null;
}

interface PrintedFrame {
  readonly address: string;
  readonly interrupted: boolean;
  readonly certainty: string;
  readonly module: string | null;
  readonly source?: readonly {
    readonly function: string | null;
    readonly inlined: boolean;
    readonly location: PrintedLocation | null;
  }[];
}

/** The proven frames in what `spillway bt --json` prints, each address once; null where it is no such document. */
export function provenFrames(text: string): ProvenFrame[] | null {
  let traces: { frames: readonly PrintedFrame[] }[];
  try {
    traces = JSON.parse(text) as typeof traces;
  } catch {
    return null;
  }
  const frames = new Map<bigint, ProvenFrame>();
  for (const frame of traces.flatMap((trace) => trace.frames)) {
    if (frame.certainty !== "proven") continue;
    const pc = BigInt(frame.address) + (frame.interrupted ? 1n : 0n);
    const rows = (frame.source ?? []).map(
      ({ function: name, location, inlined }): SourceRow => [
        name,
        location?.file ?? null,
        location?.line ?? 0,
        location?.column ?? 0,
        inlined,
      ],
    );
    frames.set(pc, { address: frame.address, pc, module: frame.module, rows });
  }
  return [...frames.values()];
}

/** Python that has drgn print the same of program counters, one list for each. */
export function drgnSources(pcs: readonly bigint[]): string {
  return [
    "import json",
    "def row(f):",
    "    try: file, line, column = f.source()",
    "    except LookupError: file, line, column = None, 0, 0",
    "    return [f.function_name, file, line, column, f.is_inline]",
    `pcs = [${pcs.join(", ")}]`,
    'print("sources:" + json.dumps([[row(f) for f in prog.stack_trace_from_pcs([pc])] for pc in pcs]))',
  ].join("\n");
}

/** What that printed; null where it failed. */
export function parseDrgnSources(stdout: string): SourceRow[][] | null {
  const json = /^sources:(\[.*\])$/m.exec(stdout)?.[1];
  return json === undefined ? null : (JSON.parse(json) as SourceRow[][]);
}

export function compareSources(ours: readonly ProvenFrame[], theirs: readonly (readonly SourceRow[])[]) {
  const differences: { address: string; ours: string; theirs: string }[] = [];
  let inlined = 0;
  ours.forEach((frame, index) => {
    // drgn makes one frame of an address about which it knows nothing; assembler has a line, but no function.
    const [mine, other] = [describe(frame.rows), describe(theirs[index] ?? [])];
    inlined += frame.rows.filter((row) => row[4]).length;
    if (mine !== other) differences.push({ address: frame.address, ours: mine, theirs: other });
  });
  const modules = ours.filter((frame) => frame.module !== null).length;
  return { frames: ours.length, modules, inlined, equal: ours.length - differences.length, differences };
}

function describe(rows: readonly SourceRow[]): string {
  const words = rows.map(([name, file, line, column, inlined]) => {
    const place = file === null ? "??" : `${plainPath(file)}:${line}:${column}`;
    return `${name ?? "??"}${inlined ? " (inlined)" : ""} ${place}`;
  });
  return words.length === 0 ? "?? ??" : words.join(" < ");
}

/** Without ".", ".." and empty parts: they name the same file. */
function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && (part !== "" || parts.length === 0)) parts.push(part);
  }
  return parts.join("/");
}
