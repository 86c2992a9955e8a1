/**
 * What a register held when a function was entered, told by the caller: the compiler notes at each call what it passes
 * (DW_TAG_call_site_parameter, DWARF 5, 3.4; GNU's form of it since gcc 4.7).
 */
import { unsignedAddress } from "../symbols/kallsyms-addresses.ts";
import { DW_AT, DW_TAG } from "./dwarf/constants.ts";
import type { Die } from "./dwarf/die.ts";
import { evaluateNumber } from "./location-expression.ts";
import { FrameExpressions } from "./variables-context.ts";

const DW_AT_CALL_TARGET = 0x83;
const DW_AT_GNU_CALL_SITE_TARGET = 0x2113;
/** Callers asked in turn: what one passes on, it was passed itself. */
const MAX_CALLERS = 8;

/**
 * What the expression in `block` (a register, as a rule) came to at entry; null where the caller's frame is not known, or the
 * call was not to this function, or what was passed is gone.
 */
export function entryValue(callee: FrameExpressions, block: Uint8Array): bigint | null {
  const { source, frame, callersUp } = callee;
  const caller = frame.caller ?? null;
  if (caller === null || callersUp >= MAX_CALLERS || !caller.afterCall) return null;
  const place = source.at(caller.pc - 1n);
  if (place === null) return null;
  const { file, pc } = place;
  const scopes = file.scopesAt(pc);
  const expressions = new FrameExpressions(source, file, caller, scopes, callersUp + 1);
  const site = callSite(scopes, pc + 1);
  if (site === null || !calls(site, callee, expressions)) return null;
  for (const parameter of site.children()) {
    if (parameter.tag !== DW_TAG.callSiteParameter && parameter.tag !== DW_TAG.gnuCallSiteParameter) continue;
    if (!sameBytes(parameter.block(DW_AT.location), block)) continue;
    const value = parameter.block(DW_AT.callValue) ?? parameter.block(DW_AT.gnuCallSiteValue);
    return value === null ? null : evaluateNumber(value, expressions.in(parameter.unit));
  }
  return null;
}

/** The call that returns to an address: in the innermost scope that notes it. */
function callSite(scopes: readonly Die[], returnPc: number): Die | null {
  for (const scope of scopes.toReversed()) {
    for (const die of scope.children()) {
      if (die.tag === DW_TAG.callSite && die.addressNumber(DW_AT.callReturnPc) === returnPc) return die;
      if (die.tag === DW_TAG.gnuCallSite && die.addressNumber(DW_AT.lowPc) === returnPc) return die;
    }
  }
  return null;
}

/**
 * Whether a call goes straight to the callee's function. Where it went to another one, which jumped on to the callee, the
 * registers may hold something else by then.
 */
function calls(site: Die, callee: FrameExpressions, caller: FrameExpressions): boolean {
  const func = callee.scopes[0];
  if (func === undefined) return false;
  const origin = site.reference(DW_AT.callOrigin) ?? site.reference(DW_AT.abstractOrigin);
  if (origin !== null) {
    const called = origin.originWith(DW_AT.name)?.name ?? null;
    return called !== null && called === (func.originWith(DW_AT.name)?.name ?? null);
  }
  const target = site.block(DW_AT_CALL_TARGET) ?? site.block(DW_AT_GNU_CALL_SITE_TARGET);
  const address = target === null ? null : evaluateNumber(target, caller.in(site.unit));
  const low = func.addressNumber(DW_AT.lowPc) ?? func.addressNumber(DW_AT.entryPc);
  return address !== null && low !== null && address === BigInt.asUintN(64, unsignedAddress(low) + callee.file.bias);
}

function sameBytes(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
