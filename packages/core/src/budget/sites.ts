/** The calls and tail jumps of a program as they are found: columns of the call graph, and what the pass needs beside them. */
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
  /** Its instruction in the function's code. */
  readonly index: number;
}

export class Sites {
  readonly caller = new GrowingColumn();
  readonly address = new GrowingColumn();
  readonly kind = new GrowingColumn();
  readonly bytes = new GrowingColumn();
  readonly depthKind = new GrowingColumn();
  readonly callee = new GrowingColumn();
  readonly through = new GrowingColumn();
  /** Of the site's instruction in its function's code; means something during that function's visit. */
  readonly index = new GrowingColumn();

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
    this.through.push(site.through);
    this.index.push(site.index);
  }

  /** The columns of the graph. */
  columns(typedSet: Int32Array, assumedSet: Int32Array): SiteColumns {
    return {
      count: this.count,
      caller: this.caller.values.slice(),
      address: this.address.values.slice(),
      kind: Uint8Array.from(this.kind.values),
      bytes: this.bytes.values.slice(),
      depthKind: Uint8Array.from(this.depthKind.values),
      callee: this.callee.values.slice(),
      typedSet,
      assumedSet,
    };
  }
}
