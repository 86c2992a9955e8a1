/**
 * How deep the stack is at each instruction of a function: by ORC where it goes by RSP and so says it exactly, by following
 * the code where ORC goes by RBP (or by another register, as in aligned frames) and where there is none.
 */
import { type CodeColumns, mnemonicNumber } from "../code/code-columns.ts";
import type { OrcTable } from "../unwind/orc.ts";
import { collectOrc, ORC_REGISTERS, ORC_TYPES, OrcRun } from "../unwind/orc-run.ts";
import { DEPTH_KINDS, type DepthKind } from "./call-graph.ts";
import { AT_LEAST, AT_MOST, depthBytes, depthNumber, depthSureness, EXACT, UNKNOWN } from "./depth-number.ts";
import { type EntryFrame, entryFrame, orcDepth } from "./entry-frame.ts";
import { LOST } from "./frame-state.ts";
import { fullAddress } from "./function-table.ts";
import { losesStack } from "./stack-change.ts";
import { type InnerJumps, StackDepth } from "./stack-depth.ts";

export const DEPTH_KIND = Object.fromEntries(DEPTH_KINDS.map((kind, index) => [kind, index])) as Readonly<
  Record<DepthKind, number>
>;
const BP = ORC_REGISTERS.indexOf("bp");
const SP = ORC_REGISTERS.indexOf("sp");
const SP_INDIRECT = ORC_REGISTERS.indexOf("sp-indirect");
/** No number of bytes. */
const NONE = -0x80000000;
const UNDEFINED_TYPE = ORC_TYPES.indexOf("undefined");

/** Serves any number of functions, one after the other. */
export class FrameDepths {
  /** Bytes at each instruction of the function measured last, and their kind, an index into DEPTH_KINDS. */
  bytes = new Int32Array(1024);
  kind = new Uint8Array(1024);
  /** What following the code says, before ORC has its say; see StackDepth. */
  readonly tracked = new StackDepth();
  /** What ORC says: the entry in force at each instruction, an index into `orc`, or -1. */
  orcAt = new Int32Array(1024);
  readonly orc = new OrcRun();
  entry: EntryFrame = entryFrame(null);
  readonly #table: OrcTable | null;
  /** By entry of `orc`: see byOrc; NONE where there is none. */
  #entryBytes = new Int32Array(64);
  /** Was the code of the function measured last followed? */
  #isTracked = false;
  readonly #nop = mnemonicNumber("nop");
  readonly #int3 = mnemonicNumber("int3");

  constructor(orc: OrcTable | null) {
    this.#table = orc;
  }

  /**
   * Measures a function.
   * @param innerJumps indirect jumps that stay in it
   */
  measure(code: CodeColumns, innerJumps: InnerJumps): void {
    if (this.#byOrcAlone(code)) return;
    this.#isTracked = true;
    this.tracked.track(code, this.entry.depth, innerJumps);
    for (let index = 0; index < code.count; index++) this.#decide(index, innerJumps);
  }

  /**
   * Measures by ORC; false where it leaves something open, so that the code has to be followed, or where the code does to RSP
   * what ORC knows nothing of. Padding has no unwind data, and no function is deeper in it.
   */
  #byOrcAlone(code: CodeColumns): boolean {
    this.#begin(code);
    const { bytes, kind, orcAt } = this;
    for (let index = 0; index < code.count; index++) {
      const at = orcAt[index]!;
      if (losesStack(code, index)) return false;
      if (at >= 0) {
        const depth = this.#entryBytes[at]!;
        if (depth === NONE) return false;
        bytes[index] = depth;
        kind[index] = DEPTH_KIND.exact;
      } else {
        const mnemonic = code.mnemonic[index];
        if (index === 0 || (mnemonic !== this.#nop && mnemonic !== this.#int3)) return false;
        bytes[index] = 0;
        kind[index] = DEPTH_KIND.unknown;
      }
    }
    this.#isTracked = false;
    return true;
  }

  /** Does anything of the function measured last lead to an instruction? */
  isReached(index: number): boolean {
    return this.#isTracked ? this.tracked.rsp[index] !== UNKNOWN : this.kind[index] !== DEPTH_KIND.unknown;
  }

  /** Reads ORC and follows the code, but lets neither know of the other. */
  follow(code: CodeColumns, innerJumps: InnerJumps, stops?: (target: number) => boolean): void {
    this.#begin(code);
    this.tracked.track(code, this.entry.depth, innerJumps, stops);
  }

  #begin(code: CodeColumns): void {
    const { count } = code;
    if (this.bytes.length < count) {
      this.bytes = new Int32Array(count * 2);
      this.kind = new Uint8Array(count * 2);
      this.orcAt = new Int32Array(count * 2);
    }
    this.#readOrc(code);
    const first = count === 0 ? -1 : this.orcAt[0]!;
    this.entry = entryFrame(
      first < 0
        ? null
        : {
            spRegister: ORC_REGISTERS[this.orc.spRegister[first]!]!,
            spOffset: this.orc.spOffset[first]!,
            type: ORC_TYPES[this.orc.type[first]!]!,
          },
    );
    if (this.#entryBytes.length < this.orc.count) this.#entryBytes = new Int32Array(this.orc.count * 2);
    for (let at = 0; at < this.orc.count; at++) this.#entryBytes[at] = this.#bytesOf(at);
  }

  /** What an entry of ORC says by RSP, in the function's own count; NONE where it does not. */
  #bytesOf(at: number): number {
    if (this.orc.spRegister[at] !== SP) return NONE;
    const depth = orcDepth("sp", this.orc.spOffset[at]!, ORC_TYPES[this.orc.type[at]!]!);
    if (depth === null || (this.entry.registers !== null && depth.registers !== this.entry.registers)) return NONE;
    return depth.bytes - this.entry.bias;
  }

  /** Bytes that ORC gives by RSP at an instruction, in the function's own count; null where it does not. */
  byOrc(index: number): number | null {
    const at = this.orcAt[index]!;
    const bytes = at < 0 ? NONE : this.#entryBytes[at]!;
    return bytes === NONE ? null : bytes;
  }

  /** Most bytes that the function has on its own stack, and their kind. */
  own(code: CodeColumns): { bytes: number; kind: number } {
    let bytes = 0;
    let kind: number | null = null;
    let unbounded = false;
    for (let index = 0; index < code.count; index++) {
      const one = this.kind[index]!;
      if (one === DEPTH_KIND.unknown || one === DEPTH_KIND["other-stack"]) continue;
      if (one === DEPTH_KIND["at-least"]) unbounded = true;
      if (kind !== null && this.bytes[index]! < bytes) continue;
      if (this.bytes[index]! > bytes || kind === null || one > kind) kind = one;
      bytes = this.bytes[index]!;
    }
    return { bytes, kind: unbounded ? DEPTH_KIND["at-least"] : (kind ?? DEPTH_KIND.unknown) };
  }

  #decide(index: number, innerJumps: InnerJumps): void {
    const byOrc = this.tracked.other[index] === LOST ? null : this.byOrc(index);
    if (byOrc !== null) {
      // What is reached by ways that code does not show (exception tables, static branches) is followed from here.
      if (this.tracked.rsp[index] === UNKNOWN) this.#goOn(index, depthNumber(byOrc, EXACT), innerJumps);
      this.bytes[index] = byOrc;
      this.kind[index] = DEPTH_KIND.exact;
      return;
    }
    const at = this.orcAt[index]!;
    if (this.tracked.rsp[index] === UNKNOWN && at >= 0) {
      const inferred = this.tracked.inferAt(index, depthNumber(this.entry.depth, EXACT));
      if (inferred !== UNKNOWN) this.#goOn(index, inferred, innerJumps);
    }
    const tracked = this.tracked.rsp[index]!;
    const otherStack = this.tracked.other[index] !== 0 || (at >= 0 && this.orc.spRegister[at] === SP_INDIRECT);
    if (tracked === UNKNOWN) {
      this.bytes[index] = 0;
      this.kind[index] = otherStack ? DEPTH_KIND["other-stack"] : DEPTH_KIND.unknown;
      return;
    }
    this.bytes[index] = depthBytes(tracked);
    const sureness = depthSureness(tracked);
    if (otherStack) this.kind[index] = DEPTH_KIND["other-stack"];
    else if (sureness === AT_MOST) this.kind[index] = DEPTH_KIND["at-most"];
    else this.kind[index] = sureness === AT_LEAST ? DEPTH_KIND["at-least"] : DEPTH_KIND.exact;
  }

  #goOn(index: number, rsp: number, innerJumps: InnerJumps): void {
    const at = this.orcAt[index]!;
    const byRbp = at >= 0 && this.orc.spRegister[at] === BP && depthSureness(rsp) === EXACT;
    const rbp = byRbp ? depthNumber(this.orc.spOffset[at]!, EXACT) : UNKNOWN;
    this.tracked.continueAt(index, rsp, rbp, innerJumps);
  }

  #readOrc(code: CodeColumns): void {
    this.orcAt.fill(-1, 0, code.count);
    if (this.#table === null) return;
    let first = 0;
    while (first < code.count) {
      let last = first;
      while (code.followed(last)) last++;
      this.#readRun(code, first, last);
      first = last + 1;
    }
  }

  /** ORC of contiguous instructions: a function's body, or one of its cold parts. */
  #readRun(code: CodeColumns, first: number, last: number): void {
    const { orc } = this;
    if (first === 0) orc.clear();
    let entry = orc.count - 1;
    const before = orc.count;
    const start = fullAddress(code.address[first]!);
    const end = fullAddress(code.address[last]! + code.length[last]!);
    collectOrc(this.#table!, start, end, orc, () => code.address.subarray(first, last + 1));
    for (let index = first; index <= last; index++) {
      const address = code.address[index]!;
      while (entry + 1 < orc.count && orc.address[entry + 1]! <= address) entry++;
      const known = entry >= before && orc.type[entry] !== UNDEFINED_TYPE;
      this.orcAt[index] = known ? entry : -1;
    }
  }
}
