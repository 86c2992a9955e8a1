import {
  allTypes,
  type CAggregate,
  type CType,
  carriedTypes,
  type Kernel,
  type MemberLocation,
  SpillwayError,
  type TypeProvider,
} from "@spillway/core";
import { findAggregate, findMemberOf, parseTypeWords, unknownType } from "./type-lookup.ts";

/** What a name stands for in C. */
export type Meaning =
  | { readonly kind: "aggregate"; readonly type: CAggregate }
  | { readonly kind: "enum"; readonly type: Extract<CType, { kind: "enum" }> }
  | {
      readonly kind: "enumerator";
      readonly name: string;
      readonly type: Extract<CType, { kind: "enum" }>;
      readonly value: bigint;
    }
  | { readonly kind: "typedef"; readonly name: string; readonly target: CType }
  | { readonly kind: "function" | "variable"; readonly name: string; readonly type: CType }
  | { readonly kind: "member"; readonly type: CAggregate; readonly path: string; readonly location: MemberLocation };

/**
 * All that a name stands for: in C a tag, and a typedef, variable, function or enumerator may share it.
 * @param words the name, maybe after `struct`, `union` or `enum`
 * @throws SpillwayError `SPW_TYPE_UNKNOWN`, `SPW_MEMBER_UNKNOWN`, `SPW_USAGE`
 */
export function meaningsOf(kernel: Kernel, words: readonly string[]): readonly Meaning[] {
  const types = allTypes(kernel);
  const keyword = /^(struct|union|enum)$/.test(words[0] ?? "") && words.length > 1 ? words[0]! : null;
  const name = words[keyword === null ? 0 : 1]!;
  if (words.length > (keyword === null ? 1 : 2)) {
    throw new SpillwayError("SPW_USAGE", "whatis takes one name", { class: "usage" });
  }
  if (name.includes(".")) return membersOf(types, name) ?? ordinary(kernel, name);
  return keyword === null ? ordinary(kernel, name) : tagged(types, keyword, name);
}

function membersOf(types: TypeProvider, word: string): readonly Meaning[] | null {
  const { name, members } = parseTypeWords(word);
  // A compiler's suffix makes a dot too: parse_value.isra.0 is a function.
  if (types.structOrUnion(name) === null && types.typedef(name) === null) return null;
  const type = findAggregate(types, name);
  return members.map((path) => ({ kind: "member", type, path, location: findMemberOf(type, name, path) }));
}

function tagged(types: TypeProvider, keyword: string, name: string): readonly Meaning[] {
  if (keyword === "enum") {
    const type = types.enumeration(name);
    if (type === null) throw unknownType("enum", name);
    return [{ kind: "enum", type }];
  }
  const type = types.structOrUnion(name);
  if (type === null || type.kind !== keyword) throw unknownType(keyword, name);
  return [{ kind: "aggregate", type }];
}

/** What the kernel carries of the name; debug information is asked for what is not there. */
function ordinary(kernel: Kernel, name: string): readonly Meaning[] {
  const types = carriedTypes(kernel);
  const found = [...typeMeanings(types, name), ...symbolMeanings(types, name)];
  if (found.length > 0) return found;
  const debug = kernel.debugInfo?.types ?? null;
  if (debug === null) throw unknownName(kernel, name);
  // The name of a symbol is mostly meant as such: to be sure that there is no type of that name takes long.
  const symbol = kernel.symbols.byName(name);
  const named = symbol === null ? [] : symbolMeanings(debug, name, /[tw]/i.test(symbol.type));
  const more = named.length > 0 ? named : [...typeMeanings(debug, name), ...symbolMeanings(debug, name)];
  if (more.length > 0) return more;
  throw unknownName(kernel, name);
}

function typeMeanings(types: TypeProvider, name: string): Meaning[] {
  const found: Meaning[] = [];
  const target = types.typedef(name);
  if (target !== null) found.push(typedefMeaning(name, target));
  const aggregate = types.structOrUnion(name);
  if (aggregate !== null) found.push({ kind: "aggregate", type: aggregate });
  const enumeration = types.enumeration(name);
  if (enumeration !== null) found.push({ kind: "enum", type: enumeration });
  const owner = types.enumOf(name);
  const value = owner?.enumerators.find((one) => one.name === name)?.value;
  if (owner !== null && value !== undefined) found.push({ kind: "enumerator", name, type: owner, value });
  return found;
}

/** @param code whether it is that of a function, where that is known */
function symbolMeanings(types: TypeProvider, name: string, code: boolean | null = null): Meaning[] {
  const plain = name.replace(/\.(isra|part|constprop|cold|lto_priv|llvm)\b.*$/, "");
  const func = code === false ? null : types.func(plain);
  if (func !== null) return [{ kind: "function", name: plain, type: func }];
  const variable = code === true ? null : types.variable(name);
  return variable === null ? [] : [{ kind: "variable", name, type: variable }];
}

function typedefMeaning(name: string, target: CType): Meaning {
  // BTF and DWARF give a typedef itself, not what it stands for.
  return { kind: "typedef", name, target: target.kind === "typedef" && target.name === name ? target.target : target };
}

function unknownName(kernel: Kernel, name: string): SpillwayError {
  const symbol = kernel.symbols.byName(name);
  if (symbol === null) return unknownType("type, variable or function", name);
  return new SpillwayError("SPW_TYPE_UNKNOWN", `"${name}" is a symbol (${symbol.type}) whose type is not known`, {
    class: "missing",
    facts: { name, address: symbol.address },
    hint: "of variables, the kernel's own type information (BTF) has the per-CPU ones only; --debuginfo VMLINUX gives all",
  });
}
