/** Where a variable is: "@ADDRESS", its bytes in hexadecimal with the lowest last, or "lost". */
export type Place = string;

/** One variable of a frame: [address of the frame's code, function, name, place]. */
export type VariableRow = readonly [string, string | null, string, Place];

interface PrintedVariable {
  readonly name: string;
  readonly function: string | null;
  readonly address: string | null;
  readonly bytes: readonly (number | null)[] | null;
}

/** The variables in what `spillway bt --locals --json` prints; null where it is no such document. */
export function printedVariables(text: string): VariableRow[] | null {
  try {
    const traces = JSON.parse(text) as { frames: { address: string; variables?: PrintedVariable[] }[] }[];
    return traces.flatMap(({ frames }) =>
      frames.flatMap(({ address, variables = [] }) =>
        variables.map((one): VariableRow => [address, one.function, one.name, placeOf(one)]),
      ),
    );
  } catch {
    return null;
  }
}

function placeOf({ address, bytes }: PrintedVariable): Place {
  if (address !== null) return `@${address}`;
  if (bytes === null) return "lost";
  return bytes
    .map((byte) => byte?.toString(16).padStart(2, "0") ?? "??")
    .reverse()
    .join("");
}

/** Python that has drgn print the same of the crashed thread. */
export const DRGN_VARIABLES = [
  "import json",
  "def place(o):",
  "    if o.absent_: return 'lost'",
  "    if o.address_ is not None: return '@' + hex(o.address_)",
  "    return o.to_bytes_()[::-1].hex()",
  "rows = []",
  "for f in prog.crashed_thread().stack_trace():",
  "    try: names = f.locals()",
  "    except Exception: continue",
  "    for n in names:",
  "        try: rows.append([hex(f.pc), f.name, n, place(f[n])])",
  "        except Exception: pass",
  'print("variables:" + json.dumps(rows))',
].join("\n");

/** What that printed; null where it failed. */
export function parseDrgnVariables(stdout: string): VariableRow[] | null {
  const json = /^variables:(\[.*\])$/m.exec(stdout)?.[1];
  return json === undefined ? null : (JSON.parse(json) as VariableRow[]);
}

export interface ComparedVariables {
  readonly equal: number;
  /** Known to one and lost to the other. */
  readonly oursOnly: number;
  readonly theirsOnly: readonly string[];
  /** Both know it, and not the same. */
  readonly different: readonly string[];
}

/** Holds the variables that both list against each other; of several of one name in a function, the first. */
export function compareVariables(ours: readonly VariableRow[], theirs: readonly VariableRow[]): ComparedVariables {
  const keyOf = ([pc, func, name]: VariableRow) => `${pc} ${func}.${name}`;
  const known = new Map<string, Place>();
  for (const row of ours) if (!known.has(keyOf(row))) known.set(keyOf(row), row[3]);
  const seen = new Set<string>();
  let equal = 0;
  let oursOnly = 0;
  const theirsOnly: string[] = [];
  const different: string[] = [];
  for (const row of theirs) {
    const key = keyOf(row);
    const place = known.get(key);
    if (place === undefined || seen.has(key)) continue;
    seen.add(key);
    if (place === row[3]) equal++;
    else if (row[3] === "lost") oursOnly++;
    else if (place === "lost") theirsOnly.push(`${key}: drgn ${row[3]}`);
    // A struct of which a part is lost: drgn has no such thing.
    else if (place.includes("??")) oursOnly++;
    else different.push(`${key}: spillway ${place}, drgn ${row[3]}`);
  }
  return { equal, oursOnly, theirsOnly, different };
}
