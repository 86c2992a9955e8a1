/** The calls and tail jumps of a program as they are found: columns of the call graph. */
import type { SiteColumns, SiteKind } from "./call-graph.ts";
import { SITE_KINDS } from "./call-graph.ts";
import { GrowingColumn } from "./growing.ts";

export const SITE_KIND = Object.fromEntries(SITE_KINDS.map((kind, index) => [kind, index])) as Readonly<
  Record<SiteKind, number>
>;

export interface Site {
  /** Address of the instruction, low 32 bits. */
  readonly address: number;
  readonly kind: SiteKind;
  readonly bytes: number;
  /** Index into DEPTH_KINDS. */
  readonly depthKind: number;
  /** -1: none that is known. */
  readonly callee: number;
  /** General register that an indirect branch goes through, 0-15; -1: through memory, or a direct one. */
  readonly through: number;
}

/** The columns of sites that the code alone tells; see SiteColumns. */
export type FoundSites = Omit<SiteColumns, "typedSet" | "assumedSet">;

export class Sites {
  readonly caller = new GrowingColumn();
  readonly address = new GrowingColumn();
  readonly kind = new GrowingColumn();
  readonly bytes = new GrowingColumn();
  readonly depthKind = new GrowingColumn();
  readonly callee = new GrowingColumn();

  get count(): number {
    return this.caller.length;
  }

  push(caller: number, site: Site): void {
    this.caller.push(caller);
    this.address.push(site.address);
    this.kind.push(SITE_KIND[site.kind]);
    this.bytes.push(site.bytes);
    this.depthKind.push(site.depthKind);
    this.callee.push(site.callee);
  }

  columns(): FoundSites {
    return {
      count: this.count,
      caller: this.caller.values.slice(),
      address: this.address.values.slice(),
      kind: Uint8Array.from(this.kind.values),
      bytes: this.bytes.values.slice(),
      depthKind: Uint8Array.from(this.depthKind.values),
      callee: this.callee.values.slice(),
    };
  }
}
