import type { TypeProvider } from "@spillway/core";
import {
  type CAggregate,
  type CType,
  findMember,
  type MemberLocation,
  SpillwayError,
  stripTypedefs,
} from "@spillway/core";

/** `NAME`, `NAME.member`, `NAME.member,member[2].inner`: what crash takes for a struct and some of its members. */
export interface TypeWords {
  readonly name: string;
  readonly members: readonly string[];
}

/** Splits a word at its first dot. */
export function parseTypeWords(text: string): TypeWords {
  const dot = text.indexOf(".");
  if (dot < 0) return { name: text, members: [] };
  return {
    name: text.slice(0, dot),
    members: text
      .slice(dot + 1)
      .split(",")
      .filter(Boolean),
  };
}

export function unknownType(what: string, name: string): SpillwayError {
  return new SpillwayError("SPW_TYPE_UNKNOWN", `no ${what} named "${name}" in the type information of this kernel`, {
    class: "missing",
    facts: { name },
    hint: "spillway sym FILE -q PART lists symbols; sys says whether the dump has type information (BTF)",
  });
}

/**
 * A struct or union by its tag, or by a typedef that stands for one.
 * @throws SpillwayError `SPW_TYPE_UNKNOWN`
 */
export function findAggregate(types: TypeProvider, name: string): CAggregate {
  const tagged = types.structOrUnion(name);
  if (tagged !== null) return tagged;
  const target = types.typedef(name);
  const type = target === null ? null : stripTypedefs(target);
  if (type !== null && (type.kind === "struct" || type.kind === "union")) return type;
  throw unknownType("struct or union", name);
}

/**
 * A member of a struct, along dots and with an index: `se.load`, `pids[2]`.
 * @throws SpillwayError `SPW_MEMBER_UNKNOWN`
 */
export function findMemberOf(type: CAggregate, name: string, path: string): MemberLocation {
  const found = findMember(type, path);
  if (found !== null) return found;
  throw new SpillwayError("SPW_MEMBER_UNKNOWN", `${type.kind} ${name} has no member "${path}"`, {
    class: "missing",
    facts: { name, member: path },
    hint: `spillway struct FILE ${name} lists its members`,
  });
}

/**
 * An offset in bytes: a number (decimal, or hexadecimal with 0x), or `TYPE.member`.
 * @throws SpillwayError `SPW_USAGE`, `SPW_TYPE_UNKNOWN`, `SPW_MEMBER_UNKNOWN`
 */
export function parseOffset(
  types: TypeProvider,
  text: string,
): { readonly offset: number; readonly type: CType | null } {
  if (/^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(text)) return { offset: Number(text), type: null };
  const { name, members } = parseTypeWords(text);
  if (members.length !== 1) {
    throw new SpillwayError("SPW_USAGE", `"${text}" is no offset`, {
      class: "usage",
      hint: "give a number of bytes or STRUCT.member",
    });
  }
  const location = findMemberOf(findAggregate(types, name), name, members[0]!);
  return { offset: Math.floor(location.bitOffset / 8), type: location.type };
}
