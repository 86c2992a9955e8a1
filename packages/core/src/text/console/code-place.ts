/** Places in the code as logs print them: `fn+0x12/0x34 [mod]`, with or without an address, from every release and tool. */
import type { CodePlace } from "./report.ts";

/** A symbol's name: C, compiler suffixes, Rust (mangled or not), the dots of powerpc's entry points. */
const NAME = String.raw`[A-Za-z_.$<][^\s+(){}[\]]*`;
const SOURCE = String.raw`[\w./+~-]+\.[chSs](?:pp|xx)?:\d+`;

/** `fn+0x12/0x34`, behind it `[mod]` (since 6.5 with a build ID). */
const PLACE = new RegExp(
  String.raw`(?::(\w+):)?(${NAME})\+0x([0-9a-f]{1,8})\/0x([0-9a-f]{1,8})(?:\s*\[([\w-]+)(?:\s+[0-9a-f]{8,40})?(?:\([A-Z+-]*\))?\])?`,
);
/** What scripts/decode_stacktrace.sh makes of it: `fn (fs/file.c:12 fs/other.c:3) mod`. */
const DECODED = new RegExp(
  String.raw`^(${NAME}) \((?:\?\?:\?|(${SOURCE})(?: \(discriminator \d+\))?)[^()]*(?:\([^()]*\)[^()]*)*\)(?:\s+\[?(\w+)\]?)?`,
);

export const nowhere: CodePlace = {
  function: null,
  module: null,
  offset: null,
  size: null,
  address: null,
  file: null,
  codeLine: null,
};

export function hexNumber(digits: string | undefined): bigint | null {
  return digits === undefined || !/^[0-9a-f]{1,16}$/i.test(digits) ? null : BigInt(`0x${digits}`);
}

/** The first place that `text` names; null where it names none. An address alone (`0x0`, `ffffffff8107b00b`) is one. */
export function placeIn(text: string): CodePlace | null {
  const match = PLACE.exec(text);
  const address = hexNumber(/\[<([0-9a-f]{8,16})>\]/.exec(text)?.[1]);
  if (match !== null) {
    const source = new RegExp(String.raw`^\s+(${SOURCE})`).exec(text.slice(match.index + match[0].length))?.[1];
    return {
      function: match[2]!,
      module: match[5] ?? match[1] ?? null,
      offset: Number.parseInt(match[3]!, 16),
      size: Number.parseInt(match[4]!, 16),
      address,
      ...sourceOf(source),
    };
  }
  const decoded = DECODED.exec(text.trim());
  if (decoded !== null) {
    return { ...nowhere, function: decoded[1]!, module: decoded[3] ?? null, address, ...sourceOf(decoded[2]) };
  }
  if (address !== null) return { ...nowhere, address };
  const bare = hexNumber(/(?:^|[\s:])(?:0x([0-9a-f]{1,16})|([0-9a-f]{16}))(?=\s|$)/.exec(text)?.slice(1).find(Boolean));
  return bare === null ? null : { ...nowhere, address: bare };
}

export function sourceOf(source: string | undefined): { file: string | null; codeLine: number | null } {
  const colon = source?.lastIndexOf(":") ?? -1;
  if (source === undefined || colon < 0) return { file: null, codeLine: null };
  return { file: source.slice(0, colon), codeLine: Number(source.slice(colon + 1)) };
}

export { DECODED, NAME, PLACE, SOURCE };
