import {
  type CAggregate,
  type CValue,
  type Kernel,
  type MemberLocation,
  plainValue,
  readMember,
  readValue,
  type TypeProvider,
  type ValueStyle,
} from "@spillway/core";
import { formatMemberValues, formatStructValue } from "./format/struct.ts";
import { findAggregate, findMemberOf, parseTypeWords } from "./type-lookup.ts";

/** A struct that was asked for, with some of its members or (none) all of it. */
export interface StructRequest {
  readonly type: CAggregate;
  readonly name: string;
  readonly members: readonly { readonly path: string; readonly location: MemberLocation }[];
}

/**
 * Reads `NAME` or `NAME.member,member`.
 * @throws SpillwayError `SPW_TYPE_UNKNOWN`, `SPW_MEMBER_UNKNOWN`
 */
export function structRequest(types: TypeProvider, word: string): StructRequest {
  const { name, members } = parseTypeWords(word);
  const type = findAggregate(types, name);
  return { type, name, members: members.map((path) => ({ path, location: findMemberOf(type, name, path) })) };
}

/** What was read of a struct: the whole, or the members asked for. */
export interface StructContent {
  readonly whole: CValue | null;
  readonly members: readonly { readonly path: string; readonly value: CValue }[];
}

/** The content of a struct, or of the members asked for. */
export function readRequest(kernel: Kernel, { type, members }: StructRequest, address: bigint): StructContent {
  return members.length === 0
    ? { whole: readValue(kernel.memory, type, address), members: [] }
    : {
        whole: null,
        members: members.map(({ path, location }) => ({ path, value: readMember(kernel.memory, address, location) })),
      };
}

/** That content as crash prints it. */
export function formatRead({ type, name }: StructRequest, read: StructContent, style: ValueStyle): string {
  return read.whole === null
    ? formatMemberValues(read.members, style)
    : formatStructValue(type, name, read.whole, style);
}

/** What `--json` prints of a struct's content. */
export function plainRead(read: StructContent): unknown {
  if (read.whole !== null) return plainValue(read.whole);
  return Object.fromEntries(read.members.map(({ path, value }) => [path, plainValue(value)]));
}
