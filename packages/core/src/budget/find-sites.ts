/**
 * Calls and tail jumps of one function: what leaves it for another one, and how much of its stack it leaves behind.
 */
import {
  type CodeColumns,
  CodeColumns as Columns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  mnemonicNumber,
  OPERAND,
} from "../code/code-columns.ts";
import type { Alternative, Program } from "../program/program.ts";
import type { BranchTarget, BranchTargets } from "./branch-targets.ts";
import { type EntryFrame, entryFrame, orcDepth } from "./entry-frame.ts";
import { DEPTH_KIND, FrameDepths } from "./frame-depths.ts";
import { type FunctionTable, fullAddress, low32 } from "./function-table.ts";
import { innerJumpsOf } from "./jump-tables.ts";
import type { Site } from "./sites.ts";
import { firstNotBefore } from "./sorted.ts";
import { movedBy } from "./stack-change.ts";
import { type StaticCallUpdates, staticCallUpdates } from "./static-call-updates.ts";
import { THUNK } from "./thunks.ts";

/** An alternative's replacement is never longer (`alt_instr.replacementlen` is a byte). */
const MAX_REPLACEMENT = 255;
const RSP = 4;

interface Place {
  readonly code: CodeColumns;
  /** Index of the instruction in `code`. */
  readonly at: number;
  /** Where it stands, or will stand once it has replaced another. */
  readonly address: number;
  /** Instruction of the function that tells the depth. */
  readonly index: number;
}

export class SiteFinder {
  readonly depths: FrameDepths;
  readonly #program: Program;
  readonly #table: FunctionTable;
  readonly #targets: BranchTargets;
  readonly #alternatives: readonly Alternative[];
  readonly #alternativeSites: Int32Array;
  readonly #replacement = new Columns();
  readonly #updates: StaticCallUpdates;
  readonly #entries = new Map<number, EntryFrame>();
  readonly #general = generalRegisters();
  readonly #mov = mnemonicNumber("mov");
  readonly #nop = mnemonicNumber("nop");
  readonly #push = mnemonicNumber("push");
  readonly #farReturn = mnemonicNumber("retf");

  constructor(program: Program, table: FunctionTable, targets: BranchTargets) {
    this.#program = program;
    this.#table = table;
    this.#targets = targets;
    this.depths = new FrameDepths(program.orc);
    this.#alternatives = program.alternatives.toSorted((a, b) => low32(a.site) - low32(b.site));
    this.#updates = staticCallUpdates(program, table);
    this.#alternativeSites = Int32Array.from(this.#alternatives, (one) => low32(one.site));
  }

  /** Ascending by address. `depths` are the function's then. */
  find(caller: number, code: CodeColumns): Site[] {
    const innerJumps = innerJumpsOf(this.#program, this.#table, code);
    this.depths.measure(code, innerJumps);
    // A thunk's own body is what a branch through it is: no call of anybody's.
    if (this.#targets.thunks.kind[caller] !== THUNK.NONE) return [];
    const found: Site[] = [];
    const add = (site: Site | null): void => {
      if (site !== null) found.push(site);
    };
    for (let at = 0; at < code.count; at++) {
      if (code.flow[at] === FLOW.next || innerJumps.has(at) || this.#isDead(at)) continue;
      add(this.#siteAt(caller, code, { code, at, address: code.address[at]!, index: at }));
    }
    for (let at = 0; at < code.count; at++) if (!code.followed(at)) add(this.#runOn(caller, code, at));
    const entry = { code, at: 0, address: code.address[0]!, index: 0 };
    for (const callee of this.#updates.functions.get(caller) ?? []) add(this.#tail(entry, "tail", callee, -1, 8));
    if (this.#updates.elsewhere.has(caller)) add(this.#tail(entry, "indirect-tail", -1, -1, 8));
    for (const place of this.#replacements(code)) add(this.#siteAt(caller, code, place));
    return found.length < 2 ? found : distinct(found);
  }

  /** Does the function's code return anywhere, or run on into what follows it? */
  hasReturn(code: CodeColumns): boolean {
    for (let at = 0; at < code.count; at++) {
      const flow = code.flow[at]!;
      if (flow === FLOW.return) return true;
      const leaves = (flow === FLOW.jump || flow === FLOW.conditional) && !code.holds(code.target[at]!);
      if (leaves && this.#targets.resolve(code.target[at]!).kind === "return") return true;
      const runsOn = flow === FLOW.next && !code.followed(at) && this.depths.orcAt[at]! >= 0;
      if (runsOn && code.mnemonic[at] !== this.#nop) return true;
    }
    return false;
  }

  /**
   * What a replaced weak function leaves behind another one: code without a name, that nothing leads to and that objtool has
   * no unwind data for.
   */
  #isDead(at: number): boolean {
    const { depths } = this;
    return depths.kind[at] === DEPTH_KIND.unknown && depths.orcAt[at]! < 0 && depths.orcAt[0]! >= 0;
  }

  /**
   * Code that runs on into the function behind it, as assembler does at an inner label that is a symbol (SYM_INNER_LABEL: from
   * __put_user_4 into __put_user_nocheck_4): a tail jump without a jump.
   */
  #runOn(caller: number, code: CodeColumns, at: number): Site | null {
    const goesOn = code.flow[at] === FLOW.next || code.flow[at] === FLOW.conditional;
    // What no path leads to is padding.
    if (!goesOn || code.mnemonic[at] === this.#nop || !this.depths.isReached(at)) return null;
    const target = this.#targets.resolve(code.address[at]! + code.length[at]!);
    if (target.kind !== "function" || target.inside || target.index === caller) return null;
    const place = { code, at, address: code.address[at]!, index: at };
    const moved = movedBy(code, at);
    const { depth } = this.#entryOf(target.index);
    const site = this.#tail(place, "tail", target.index, -1, depth - (moved ?? 0));
    return moved === null ? { ...site, bytes: 0, depthKind: DEPTH_KIND.unknown } : site;
  }

  #siteAt(caller: number, own: CodeColumns, place: Place): Site | null {
    const { code, at } = place;
    switch (code.flow[at]) {
      case FLOW.call:
        return own.holds(code.target[at]!) && code.target[at] !== this.#table.start[caller]
          ? this.#innerCall(own, place)
          : this.#call(place, this.#targets.resolve(code.target[at]!));
      case FLOW["indirect-call"]:
        return this.#calling(place, "indirect-call", -1, this.#register(code, at));
      case FLOW.jump:
      case FLOW.conditional:
        if (own.holds(code.target[at]!)) return null;
        return this.#jump(place, this.#targets.resolve(code.target[at]!));
      case FLOW["indirect-jump"]:
        return this.#leaving(place, this.#register(code, at));
      case FLOW.return:
        return code.mnemonic[at] === this.#farReturn ? null : this.#return(place);
      default:
        return null;
    }
  }

  /** General register that the instruction branches through; -1: memory. */
  #register(code: CodeColumns, at: number): number {
    const slot = at * MAX_OPERANDS;
    return code.operandKind[slot] === OPERAND.REGISTER ? this.#general[code.operandRegister[slot]!]! : -1;
  }

  #call(place: Place, target: BranchTarget): Site | null {
    switch (target.kind) {
      case "function":
        return this.#calling(place, "call", target.index, -1);
      case "indirect":
        return this.#calling(place, "indirect-call", -1, target.register);
      case "unknown":
        return this.#calling(place, "call", -1, -1);
      default:
        return null;
    }
  }

  #calling(place: Place, kind: "call" | "indirect-call", callee: number, through: number): Site {
    const { bytes, kind: depthKind } = this.#depth(place.index);
    return { address: place.address, kind, bytes, depthKind, callee, through };
  }

  #jump(place: Place, target: BranchTarget): Site | null {
    switch (target.kind) {
      case "function":
        return this.#tail(place, "tail", target.index, -1, this.#depthAtTarget(place, target));
      case "indirect":
        return this.#leaving(place, target.register);
      case "return":
        return this.#return(place);
      case "unknown":
        return this.#tail(place, "tail", -1, -1, 8);
      default:
        return null;
    }
  }

  /** @param calleeDepth how deep the callee stands where it is entered: what of the depth here is the callee's */
  #tail(place: Place, kind: "tail" | "indirect-tail", callee: number, through: number, calleeDepth: number): Site {
    const depth = this.#depth(place.index);
    const known = depth.kind !== DEPTH_KIND.unknown;
    return {
      address: place.address,
      kind,
      bytes: known ? Math.max(0, depth.bytes - calleeDepth) : 0,
      depthKind: depth.kind,
      callee,
      through,
    };
  }

  /**
   * A jump through a register or memory that is no jump table's. With its frame still in place a function has not ended: a
   * computed goto (the BPF interpreter's).
   */
  #leaving(place: Place, through: number): Site | null {
    const depth = this.#depth(place.index);
    const { entry } = this.depths;
    if (depth.kind !== DEPTH_KIND.unknown && depth.kind !== DEPTH_KIND["other-stack"] && depth.bytes > entry.depth) {
      if (entry.registers !== true) return null;
    }
    return this.#tail(place, "indirect-tail", -1, through, 8);
  }

  /** `push %rax; ret` goes where the register points. */
  #return(place: Place): Site | null {
    const { code, at } = place;
    const before = at - 1;
    if (before < 0 || !code.followed(before) || code.mnemonic[before] !== this.#push) return null;
    const kind = code.operandKind[before * MAX_OPERANDS];
    if (kind !== OPERAND.REGISTER && kind !== OPERAND.MEMORY) return null;
    const index = place.index - 1;
    return this.#tail({ ...place, index }, "indirect-tail", -1, this.#register(code, before), 8);
  }

  /**
   * A call into the function itself. Retpolines that assembler has in place (CALL_NOSPEC up to 5.4,
   * arch/x86/include/asm/nospec-branch.h): `call 1f; …; 1: mov %reg,(%rsp); ret` is a jump, and a call of such a call is a
   * call. All other is stuffing of the return stack, or a subroutine that is part of the function.
   */
  #innerCall(own: CodeColumns, place: Place): Site | null {
    const core = own.indexAt(place.code.target[place.at]!);
    if (core < 0) return null;
    const through = this.#overwrites(own, core);
    if (through >= 0) {
      const isInner = own.target.subarray(0, own.count).some((target, index) => {
        return own.flow[index] === FLOW.call && target === place.address;
      });
      return isInner ? null : this.#tail(place, "indirect-tail", -1, through, 8);
    }
    if (own.flow[core] !== FLOW.call) return null;
    const inner = own.indexAt(own.target[core]!);
    const register = inner < 0 ? -1 : this.#overwrites(own, inner);
    return register < 0 ? null : this.#calling(place, "indirect-call", -1, register);
  }

  /** `mov %reg,(%rsp); ret`: the register; -1 for anything else. */
  #overwrites(code: CodeColumns, at: number): number {
    const slot = at * MAX_OPERANDS;
    const isStore =
      code.mnemonic[at] === this.#mov &&
      code.operandKind[slot] === OPERAND.MEMORY &&
      this.#general[code.base[at]!] === RSP &&
      code.displacement[at] === 0 &&
      code.operandKind[slot + 1] === OPERAND.REGISTER;
    if (!isStore || !code.followed(at) || code.flow[at + 1] !== FLOW.return) return -1;
    return this.#general[code.operandRegister[slot + 1]!]!;
  }

  #depth(index: number): { readonly bytes: number; readonly kind: number } {
    return { bytes: this.depths.bytes[index]!, kind: this.depths.kind[index]! };
  }

  /** How deep the function that is jumped to stands there. */
  #depthAtTarget(place: Place, target: { readonly index: number; readonly inside: boolean }): number {
    const entry = this.#entryOf(target.index);
    if (!target.inside) return entry.depth;
    const rule = this.#program.orc?.find(fullAddress(place.code.target[place.at]!)) ?? null;
    const depth = rule === null ? null : orcDepth(rule.spRegister, rule.spOffset, rule.type);
    const comparable = depth !== null && (entry.registers === null || depth.registers === entry.registers);
    return comparable ? depth.bytes - entry.bias : entry.depth;
  }

  #entryOf(index: number): EntryFrame {
    let entry = this.#entries.get(index);
    if (entry === undefined) {
      entry = entryFrame(this.#program.orc?.find(fullAddress(this.#table.start[index]!)) ?? null);
      this.#entries.set(index, entry);
    }
    return entry;
  }

  /** What may stand in the function's code once alternatives are applied, where it branches. */
  *#replacements(own: CodeColumns): Iterable<Place> {
    if (this.#alternatives.length === 0) return;
    const sites = this.#alternativeSites;
    let one = 0;
    for (let at = 0; at < own.count; at++) {
      const address = own.address[at]!;
      if (at === 0 || !own.followed(at - 1)) one = firstNotBefore(sites, address);
      while (sites[one]! < address) one++;
      for (; sites[one] === address; one++) yield* this.#replacementAt(own, at, this.#alternatives[one]!);
    }
  }

  *#replacementAt(own: CodeColumns, index: number, alternative: Alternative): Iterable<Place> {
    const length = Math.min(alternative.replacementLength, MAX_REPLACEMENT);
    const bytes = length === 0 ? null : this.#program.memory.read(alternative.replacement, length);
    if (bytes === null) return;
    const code = this.#replacement;
    code.clear();
    code.decode(bytes, alternative.replacement);
    const start = low32(alternative.replacement);
    for (let at = 0; at < code.count; at++) {
      // Branches within the replacement, and calls that stand for the pointer that the original calls through
      // (ALT_FLAG_DIRECT_CALL, 17bce3b2ae2d, 6.8: its target is a placeholder).
      const target = code.target[at]!;
      const inside = target >= start && target < start + length;
      const placeholder = own.flow[index] === FLOW["indirect-call"] && code.flow[at] === FLOW.call && at === 0;
      if (inside || (placeholder && own.base[index] === 0 && own.index[index] === 0)) continue;
      yield { code, at, address: low32(alternative.site) + (code.address[at]! - start), index };
    }
  }
}

/** Sorted by address; of what alternatives say the same of a place, one. */
function distinct(found: Site[]): Site[] {
  found.sort((a, b) => a.address - b.address);
  return found.filter((site, index) => {
    for (let other = index - 1; other >= 0 && found[other]!.address === site.address; other--) {
      const { kind, callee, through } = found[other]!;
      if (kind === site.kind && callee === site.callee && through === site.through) return false;
    }
    return true;
  });
}
