/** Entries of call traces, in the forms that each architecture and release prints. */
import { DECODED, hexNumber, NAME, nowhere, PLACE, placeIn, SOURCE, sourceOf } from "./code-place.ts";
import type { StackMarker, TraceEntry } from "./report.ts";

export type ReadEntry = Omit<TraceEntry, "marker" | "line">;

/** What may stand before `fn+0x…`: the stack address (powerpc), the return address, `?` for what the unwinder did not vouch for. */
const LEAD = /^(?:\(?\[\s*<?([0-9a-f]{8,16})>?\s*\]\)?\s*)?(?:\[<?([0-9a-f]{8,16})>?\]\s*)?(?:\(\(?)?(\?\s+)?/;
/** What may follow it. */
const TAIL = new RegExp(
  String.raw`^\s*(\(unreliable\))?\s*(?:\)\s*)?(?:${SOURCE})?(?:\s*\[(?:inline|discriminator[^\]]*)\])?\s*(?:<.*|from .*)?$`,
);
const INLINE = new RegExp(String.raw`^(\?\s+)?(${NAME}) (${SOURCE})(?: \[inline\])?$`);
/** ARM: `[<c0103b1c>] (unwind_backtrace) from [<c0104567>] (show_stack+0x10/0x14)`; since 5.19 without the addresses. */
const ARM =
  /^(?:\[<([0-9a-f]{8})>\] )?\(?([\w.]+)(?:\+0x[\da-f]+\/0x[\da-f]+)?\)?(?: \[\w+\])? from (?:\[<([0-9a-f]{8})>\] )?\(?([\w.]+)\+0x([0-9a-f]+)\/0x([0-9a-f]+)\)?(?:\s\[(\w+)\])?/;
/** x86-64 before 2.6.19: `<ffffffff8010c1a2>{fn+18}`, several on a line. */
const BRACED = /<([0-9a-f]{8,16})>(?:\{([^{}+]{1,128})\+(\d+)\})/g;

const MARKER = /^(?:Call Trace:\s*)?<(\/?)<?(#?[A-Za-z_0-9]{2,24})>?>/;

/** `<IRQ>`, `</IRQ>`, `<<EOE>>`: which stack follows; null where the line is none. */
export function readMarker(text: string): { readonly name: StackMarker; readonly ends: boolean } | null {
  const match = MARKER.exec(text);
  if (match === null) return null;
  const name = match[2]!;
  if (/^EO[EI]$/.test(name)) return { name, ends: true };
  return /^(?:TASK|IRQ|SOFTIRQ|NMI|ENTRY_TRAMPOLINE|SYSENTER|#?[A-Z]{2}\d?)$/.test(name)
    ? { name, ends: match[1] === "/" }
    : null;
}

/** The entries on one line of a call trace, mostly one; empty where it holds none. */
export function readEntries(text: string): ReadEntry[] {
  if (text.length > 600) return [];
  const arm = ARM.exec(text);
  if (arm !== null) {
    return [
      {
        ...nowhere,
        function: arm[4]!,
        offset: Number.parseInt(arm[5]!, 16),
        size: Number.parseInt(arm[6]!, 16),
        module: arm[7] ?? null,
        address: hexNumber(arm[3]),
        ...plain,
      },
    ];
  }
  if (text.includes("{")) {
    const braced = [...text.matchAll(BRACED)];
    if (braced.length > 0) {
      return braced.map((match) => ({
        ...nowhere,
        function: match[2]!.replace(/^:\w+:/, ""),
        module: /^:(\w+):/.exec(match[2]!)?.[1] ?? null,
        offset: Number(match[3]),
        address: hexNumber(match[1]),
        ...plain,
      }));
    }
  }
  const lead = LEAD.exec(text)!;
  const rest = text.slice(lead[0].length);
  const [sp, address] = lead[2] === undefined ? [null, hexNumber(lead[1])] : [hexNumber(lead[1]), hexNumber(lead[2])];
  const stale = lead[3] !== undefined;
  const place = PLACE.exec(rest);
  if (place !== null && place.index === 0) {
    const behind = rest.slice(place[0].length);
    const tail = TAIL.exec(behind);
    if (tail === null && address === null) return [];
    const found = placeIn(rest)!;
    return [{ ...found, address, stale: stale || tail?.[1] !== undefined, sp, interrupted: false, inlined: false }];
  }
  const decoded = DECODED.exec(rest);
  if (decoded !== null) {
    return [
      {
        ...nowhere,
        function: decoded[1]!,
        module: decoded[3] ?? null,
        address,
        ...sourceOf(decoded[2]),
        ...plain,
        stale,
      },
    ];
  }
  const inline = INLINE.exec(rest);
  if (inline !== null) {
    return [
      {
        ...nowhere,
        function: inline[2]!,
        ...sourceOf(inline[3]),
        ...plain,
        stale: stale || inline[1] !== undefined,
        inlined: text.endsWith("[inline]"),
      },
    ];
  }
  // An address that no symbol covers: `[<ffffffffa0123456>] 0xffffffffa0123456`, `? 0xffffffffc0401000`.
  const bare = /^0x([0-9a-f]{5,16})$/.exec(rest);
  if (bare !== null) return [{ ...nowhere, address: hexNumber(bare[1]), ...plain, stale, sp }];
  return [];
}

const plain = { stale: false, sp: null, interrupted: false, inlined: false } as const;
