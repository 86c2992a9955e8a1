/** Parameters and locals of a frame: where each lives at this place of the code, and the bytes of those that are known. */
import type { AddressSpace } from "../memory/address-space.ts";
import { unsignedAddress } from "../symbols/kallsyms-addresses.ts";
import type { DwarfTypes } from "../types/dwarf-types.ts";
import { sizeOfType, stripTypedefs } from "../types/strip.ts";
import type { CType } from "../types/type-provider.ts";
import type { FrameState, SourceLocation, Variable, VariablePlace } from "./debug-info.ts";
import { DW_AT, DW_FORM, DW_TAG } from "./dwarf/constants.ts";
import type { Die } from "./dwarf/die.ts";
import type { DwarfFile } from "./dwarf/dwarf-file.ts";
import { addressByIndex } from "./dwarf/form-values.ts";
import { parseGrowing } from "./dwarf/growing.ts";
import { evaluateLocation } from "./location-expression.ts";
import { findInLoc, findInLoclists } from "./location-list.ts";
import { FrameExpressions } from "./variables-context.ts";

/** What variables are told from, besides the frame. */
export interface VariableSource {
  /** The file that tells of an address of the running kernel, with the address as that file has it. */
  at(address: bigint): { readonly file: DwarfFile; readonly pc: number } | null;
  types(file: DwarfFile): DwarfTypes;
  readonly memory: AddressSpace;
}

/** A function has some tens; inlining multiplies them. */
const MAX_VARIABLES = 2000;
const LIST_FIRST = 1024;
const LIST_MOST = 1 << 20;

/** Parameters and locals in scope in a frame, the innermost function's and block's first. Empty where nothing is known. */
export function variablesAt(source: VariableSource, frame: FrameState): readonly Variable[] {
  const place = source.at(frame.afterCall ? frame.pc - 1n : frame.pc);
  if (place === null) return [];
  const { file, pc } = place;
  const scopes = file.scopesAt(pc);
  const variables: Variable[] = [];
  const expressions = new FrameExpressions(source, file, frame, scopes, 0);
  const seen = new Set<string>();
  for (let depth = scopes.length - 1; depth >= 0; depth--) {
    const func = nameOfFunction(file, scopes, depth);
    file.attempt(() => {
      for (const die of scopes[depth]!.children()) {
        if (variables.length >= MAX_VARIABLES) return;
        const variable = file.attempt(() => readVariable(die, func, pc, expressions, source.types(file)));
        if (variable === null) continue;
        // A name of an inner block hides the same one of an outer block of the same function.
        const key = `${functionIndex(scopes, depth)} ${variable.name}`;
        if (!seen.has(key)) variables.push(variable);
        seen.add(key);
      }
    });
  }
  return variables;
}

/** Index of the function (inlined or not) that a block belongs to. */
function functionIndex(scopes: readonly Die[], depth: number): number {
  let index = depth;
  while (index > 0 && scopes[index]!.tag === DW_TAG.lexicalBlock) index--;
  return index;
}

function nameOfFunction(file: DwarfFile, scopes: readonly Die[], depth: number): string | null {
  const die = scopes[functionIndex(scopes, depth)]!;
  return file.attempt(() => die.originWith(DW_AT.name)?.name ?? null);
}

/** A parameter or local as it is at an address; null where the entry is none, or only declares one. */
export function readVariable(
  die: Die,
  func: string | null,
  pc: number,
  expressions: FrameExpressions,
  types: DwarfTypes,
): Variable | null {
  const kind = die.tag === DW_TAG.formalParameter ? "parameter" : die.tag === DW_TAG.variable ? "local" : null;
  // `extern` within a function only declares.
  if (kind === null || die.flag(DW_AT.declaration)) return null;
  const name = die.originWith(DW_AT.name)?.name ?? null;
  if (name === null || name === "") return null;
  const type = types.typeOf(die);
  const size = sizeOfType(type) || null;
  return {
    name,
    kind,
    function: func,
    type,
    size,
    place: placeOf(die, pc, expressions, type, size),
    declared: declaredAt(die),
  };
}

function placeOf(die: Die, pc: number, expressions: FrameExpressions, type: CType, size: number | null): VariablePlace {
  const constant = die.originWith(DW_AT.constValue);
  const location = die.originWith(DW_AT.location);
  if (location === null) return constant === null ? OPTIMISED_OUT : constantValue(constant, type, size);
  const expression = expressionAt(location, pc);
  if (expression === null) return { kind: "lost", why: "has no value here: optimised out" };
  if (expression.length === 0) return OPTIMISED_OUT;
  const place = evaluateLocation(expression, expressions.in(location.unit), size);
  return place.kind === "value" && size !== null && place.bytes.length < size
    ? { kind: "value", bytes: [...place.bytes, ...Array<null>(size - place.bytes.length).fill(null)] }
    : place;
}

const OPTIMISED_OUT: VariablePlace = { kind: "lost", why: "optimised out" };

/** The expression in force at a signed link-time address; null where the list has none there. */
export function expressionAt(die: Die, pc: number): Uint8Array | null {
  const { unit } = die;
  const expression = die.block(DW_AT.location);
  if (expression !== null) return expression;
  const offset = die.sectionOffset(DW_AT.location);
  if (offset === null) return null;
  const context = {
    pc: unsignedAddress(pc),
    base: unsignedAddress(unit.lowPc),
    indexed(index: number) {
      const address = addressByIndex(unit, index);
      return address === null ? null : unsignedAddress(address);
    },
  };
  const { file, header } = unit;
  return header.version >= 5
    ? parseGrowing(file.section(".debug_loclists"), offset, LIST_FIRST, LIST_MOST, (reader) =>
        findInLoclists(reader, context),
      )
    : parseGrowing(file.section(".debug_loc"), offset, LIST_FIRST, LIST_MOST, (reader) => findInLoc(reader, context));
}

/** DW_AT_const_value: a number as wide as the type, or the bytes themselves. */
function constantValue(die: Die, type: CType, size: number | null): VariablePlace {
  const form = die.form(DW_AT.constValue);
  const block = die.block(DW_AT.constValue);
  if (block !== null) return { kind: "value", bytes: [...block] };
  if (form === DW_FORM.string || form === DW_FORM.strp) return OPTIMISED_OUT;
  const value = die.bigint(DW_AT.constValue);
  const stripped = stripTypedefs(type);
  if (value === null || size === null || size > 8 || stripped.kind === "array") return OPTIMISED_OUT;
  return { kind: "value", bytes: Array.from({ length: size }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn)) };
}

function declaredAt(die: Die): SourceLocation | null {
  const origin = die.originWith(DW_AT.declLine);
  if (origin === null) return null;
  const lines = origin.unit.file.linesOf(origin.unit);
  const { declFile, declLine, declColumn } = DW_AT;
  return lines?.location(origin.number(declFile), origin.number(declLine), origin.number(declColumn)) ?? null;
}
