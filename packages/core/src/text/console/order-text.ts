/** Puts texts in order that were cut into pieces on their way: pstore's parts, which run backwards, and netconsole's fragments. */

/** Header of each piece of a dump that pstore wrote (kernel/printk, fs/pstore/platform.c): "Oops#1 Part3". Part 1 holds the last lines. */
const PART =
  /^(?:<\d>)?(Oops|Panic|Emergency|Restart|Shutdown|Halt|Poweroff|Reboot|Unknown)#(\d{1,9}) Part(\d{1,6})\s*$/gm;

/** pstore's pieces in the order of time. What stands before the first header stays there. */
function orderParts(text: string): string {
  const headers = [...text.matchAll(PART)];
  if (headers.length < 2) return text;
  const pieces = headers.map((header, index) => ({
    dump: `${header[1]}#${header[2]}`,
    part: Number(header[3]),
    index,
    body: text.slice(header.index + header[0].length, headers[index + 1]?.index ?? text.length).replace(/^\r?\n/, ""),
  }));
  const dumps = new Map<string, number>();
  for (const piece of pieces) if (!dumps.has(piece.dump)) dumps.set(piece.dump, piece.index);
  pieces.sort((a, b) => dumps.get(a.dump)! - dumps.get(b.dump)! || b.part - a.part || a.index - b.index);
  const bodies = pieces.map((piece) => (piece.body.endsWith("\n") ? piece.body : `${piece.body}\n`));
  return text.slice(0, headers[0]!.index) + bodies.join("");
}

/** Extended netconsole (Documentation/networking/netconsole.rst): "6,416,1758426,-,ncfrag=0/33;first chunk". */
const FRAGMENT = /^(\d{1,4},(\d{1,12}),\d{1,15},[^;\n]{0,80}?),ncfrag=(\d{1,6})\/(\d{1,6})([^;\n]{0,80});(.*)$/;

function joinFragments(text: string): string {
  const lines = text.split("\n");
  const out: string[] = [];
  /** Index in `out` of the record that a sequence number is put together in. */
  let open: { readonly sequence: string; readonly at: number } | null = null;
  for (const line of lines) {
    const match = FRAGMENT.exec(line);
    if (match === null) {
      out.push(line);
      continue;
    }
    const body = match[6]!.replace(/\r$/, "");
    if (open !== null && open.sequence === match[2] && match[3] !== "0") out[open.at] += body;
    else {
      open = { sequence: match[2]!, at: out.length };
      out.push(`${match[1]}${match[5]};${body}`);
    }
  }
  return out.join("\n");
}

/** The text in the order of time; the same string where nothing is out of order. */
export function orderText(text: string): string {
  let ordered = text;
  if (/#\d{1,9} Part\d/.test(ordered)) ordered = orderParts(ordered);
  if (ordered.includes(",ncfrag=")) ordered = joinFragments(ordered);
  return ordered;
}
