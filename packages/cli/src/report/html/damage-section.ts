/** The damaged bytes, as they lie in memory. */
import type { Diagnosis, StackMap } from "@spillway/core";
import { hex16, thousands } from "../../text/hex.ts";
import { type Html, html, NOTHING } from "./html.ts";

const LINE = 16n;
/** Lines at either end of a long dump; what lies between is the same by the pattern, and in the map. */
const SHOWN = 24;

/** The bytes of the map's words in `[start, end)`; null for what is not in the dump. */
function bytesOf(map: StackMap, start: bigint, end: bigint): (number | null)[] {
  const bytes: (number | null)[] = new Array(Number(end - start)).fill(null);
  for (const stack of map.stacks) {
    for (const word of stack.regions.flatMap((region) => region.words)) {
      const base = BigInt(word.address);
      if (word.value === null || base >= end || base + BigInt(word.count * 8) <= start) continue;
      const value = BigInt(word.value);
      for (let offset = 0n; offset < BigInt(word.count * 8); offset++) {
        const at = base + offset;
        if (at >= start && at < end) bytes[Number(at - start)] = Number((value >> ((offset % 8n) * 8n)) & 0xffn);
      }
    }
  }
  return bytes;
}

function line(address: bigint, bytes: readonly (number | null)[], from: bigint, to: bigint): Html {
  const cell = (byte: number | null, index: number, shown: string): Html => {
    const at = address + BigInt(index);
    return byte !== null && at >= from && at < to ? html`<mark>${shown}</mark>` : html`${shown}`;
  };
  const hexes = bytes.map((byte, index) => {
    const text = byte === null ? "??" : byte.toString(16).padStart(2, "0");
    return html`${index === 8 ? "  " : " "}${cell(byte, index, text)}`;
  });
  const text = bytes.map((byte, index) =>
    cell(byte, index, byte !== null && byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."),
  );
  return html`<span class="dim">${hex16(address)}</span> ${hexes}  ${text}
`;
}

export function damageSection(diagnosis: Diagnosis, map: StackMap | null): Html {
  const { corruption } = diagnosis;
  if (corruption === null) return NOTHING;
  const from = BigInt(corruption.start);
  const to = BigInt(corruption.end);
  const pattern = corruption.pattern === null ? "" : `: ${corruption.pattern.replace(/…$/, " …")}`;
  const intro = html`<p>${thousands(corruption.bytes)} bytes from <code>${hex16(from)}</code> to <code>${hex16(to)}</code>${pattern}.</p>`;
  const canary = corruption.canary;
  const slot =
    canary === null
      ? NOTHING
      : html`<p>The canary slot at <code>${hex16(BigInt(canary.slot))}</code> holds <code>${hex16(BigInt(canary.found))}</code> instead of <code>${hex16(BigInt(canary.expected))}</code>.</p>`;
  return html`<section aria-labelledby="damage"><h2 id="damage">The damage</h2>${intro}${slot}${map !== null && hexdump(diagnosis, map, from, to)}</section>`;
}

function hexdump(diagnosis: Diagnosis, map: StackMap, from: bigint, to: bigint): Html {
  if (to <= from || to - from > 0x1_0000n) return NOTHING;
  const buffer = diagnosis.evidence.find((item) => item.id === "damage-pattern")?.address ?? null;
  const first = buffer !== null && BigInt(buffer) < from && from - BigInt(buffer) < 0x1000n ? BigInt(buffer) : from;
  const start = (first & ~(LINE - 1n)) - LINE;
  const end = ((to + LINE - 1n) & ~(LINE - 1n)) + LINE;
  const bytes = bytesOf(map, start, end);
  if (bytes.every((byte) => byte === null)) return NOTHING;
  const lines: Html[] = [];
  const total = bytes.length / Number(LINE);
  for (let index = 0; index < total; index++) {
    if (total > SHOWN * 2 && index === SHOWN) {
      lines.push(html`<span class="dim">… ${thousands((total - SHOWN * 2) * Number(LINE))} bytes more …</span>
`);
      index = total - SHOWN;
    }
    const at = index * Number(LINE);
    lines.push(line(start + BigInt(at), bytes.slice(at, at + Number(LINE)), from, to));
  }
  return html`<div class="scroll"><pre class="hexdump" tabindex="0" aria-label="hexdump of the damage">${lines}</pre></div>`;
}
