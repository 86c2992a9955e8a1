/** Who can have written it: the buffer below the damage, and the code that had its address. */

import { callSiteOf } from "../code/call-site.ts";
import { isStackChkFail } from "../code/canary.ts";
import { frameLayout } from "../code/frame-layout.ts";
import type { Operand } from "../code/instruction.ts";
import type { CanaryFinding } from "./canary-finding.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";

export interface BufferUse {
  /** Where the buffer begins on the stack. */
  readonly address: bigint;
  /** Instruction that takes its address or stores through an index into it. */
  readonly at: bigint;
  /** Functions called with the address at hand; empty where only the function itself writes. */
  readonly callees: readonly string[];
}

/**
 * Depth of RSP right behind `push %rbp`, where `mov %rsp,%rbp` sets up a frame pointer; deeper, RBP is a register like any
 * other, and gets the address of a local. Bytes.
 */
const FRAME_POINTER_DEPTH = 16;

/** How far after its address was taken the call that gets it may lie, in instructions. */
const CALL_WINDOW = 16;

/**
 * Places in the detector's code where the address of something in its frame below the canary is taken, or where it stores
 * through an index; nearest below `from` first.
 */
export function buffersBelow(facts: CrashFacts, finding: CanaryFinding, from: bigint): BufferUse[] {
  const { reader } = facts.context;
  const { code, cfa } = finding;
  const layout = frameLayout(code);
  const uses: BufferUse[] = [];
  for (let index = 0; index < code.instructions.length; index++) {
    const instruction = code.instructions[index]!;
    const state = layout[index];
    if (state == null) continue;
    const taken = instruction.mnemonic === "lea" ? instruction.operands[1] : indexedStore(instruction.operands[0]);
    const moved =
      instruction.mnemonic === "mov" &&
      isRegister(instruction.operands[1], "rsp") &&
      !(isRegister(instruction.operands[0], "rbp") && state.rspDepth === FRAME_POINTER_DEPTH);
    const depth = moved ? state.rspDepth : depthOf(taken, state.rspDepth, state.rbpDepth);
    if (depth === null) continue;
    const address = cfa - BigInt(depth);
    if (address >= finding.slot || address < finding.frame.sp) continue;
    const isAddress = instruction.mnemonic === "lea" || moved;
    const callee = isAddress ? nextCallee(index) : null;
    uses.push({ address, at: instruction.address, callees: callee === null ? [] : [callee] });
  }
  const below = (use: BufferUse) => (use.address <= from ? from - use.address : (1n << 32n) + use.address - from);
  return uses.sort((a, b) => (below(a) < below(b) ? -1 : below(a) > below(b) ? 1 : 0));

  function nextCallee(index: number): string | null {
    for (let next = index + 1; next < code.instructions.length && next <= index + CALL_WINDOW; next++) {
      const site = callSiteOf(reader, code, code.instructions[next]!);
      if (site === null) continue;
      if (site.target === null || isStackChkFail(reader, site.target)) return null;
      return reader.symbols.functionAt(site.target)?.name ?? null;
    }
    return null;
  }
}

function isRegister(operand: Operand | undefined, register: string): boolean {
  return operand?.kind === "register" && operand.register === register;
}

function indexedStore(operand: Operand | undefined): Operand | undefined {
  return operand?.kind === "memory" && operand.index !== null ? operand : undefined;
}

function depthOf(operand: Operand | undefined, rspDepth: number | null, rbpDepth: number | null): number | null {
  if (operand?.kind !== "memory" || operand.segment !== null) return null;
  const base = operand.base === "rsp" ? rspDepth : operand.base === "rbp" ? rbpDepth : null;
  return base === null ? null : base - Number(operand.displacement);
}

/** Adds what is known of the buffer; returns the nearest one. */
export function explainBuffer(facts: CrashFacts, finding: CanaryFinding, from: bigint): BufferUse | null {
  const uses = buffersBelow(facts, finding, from);
  const nearest = uses[0];
  if (nearest === undefined) return null;
  const same = uses.filter((use) => use.address === nearest.address);
  const callees = [...new Set(same.flatMap((use) => use.callees))];
  const to = callees.length > 0 ? `; it goes to ${callees.join(", ")}` : "";
  facts.evidence.add(
    "buffer",
    nearest.address,
    `${frameName(finding.frame)} has a local at ${hex(nearest.address)}, ${finding.slot - nearest.address} bytes below the canary (address taken at ${hex(nearest.at)}${to}).`,
  );
  return { ...nearest, callees };
}
