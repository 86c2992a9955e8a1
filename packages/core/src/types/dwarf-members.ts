import { DW_AT, DW_TAG } from "../debuginfo/dwarf/constants.ts";
import type { Die } from "../debuginfo/dwarf/die.ts";
import { Reader } from "../debuginfo/dwarf/reader.ts";
import { sizeOfType } from "./strip.ts";
import type { CMember, CType } from "./type-provider.ts";

const MAX_MEMBERS = 65_536;
const DW_OP_PLUS_UCONST = 0x23;

/** The members of a struct or union; their types are read when looked at. */
export function readMembers(die: Die, typeOf: (member: Die) => CType): readonly CMember[] {
  const members: CMember[] = [];
  die.unit.file.attempt(() => {
    for (const child of die.children()) {
      if (child.tag === DW_TAG.member && members.length < MAX_MEMBERS) members.push(readMember(child, typeOf));
    }
  });
  return members;
}

function readMember(die: Die, typeOf: (member: Die) => CType): CMember {
  const bitSize = die.number(DW_AT.bitSize);
  return {
    name: die.name ?? "",
    bitOffset: bitSize === null ? byteOffset(die) * 8 : bitFieldOffset(die, bitSize, typeOf),
    bitSize,
    get type() {
      return typeOf(die);
    },
  };
}

/** DW_AT_data_member_location: a constant, or in DWARF 2 an expression that adds one. Left out in unions. */
function byteOffset(die: Die): number {
  const constant = die.number(DW_AT.dataMemberLocation);
  if (constant !== null) return constant;
  const expression = die.block(DW_AT.dataMemberLocation);
  if (expression === null || expression[0] !== DW_OP_PLUS_UCONST) return 0;
  return new Reader(expression, 1).uleb();
}

/**
 * Since DWARF 4 DW_AT_data_bit_offset counts from the start of the struct. Before, DW_AT_bit_offset counts from the most
 * significant bit of a storage unit of DW_AT_byte_size bytes (or of the type's) that lies at the member's location: on a
 * little-endian machine from its end.
 */
function bitFieldOffset(die: Die, bitSize: number, typeOf: (member: Die) => CType): number {
  const fromStart = die.number(DW_AT.dataBitOffset);
  if (fromStart !== null) return fromStart;
  const fromTop = die.number(DW_AT.bitOffset);
  if (fromTop === null) return byteOffset(die) * 8;
  const storage = die.number(DW_AT.byteSize) ?? sizeOfType(typeOf(die));
  return byteOffset(die) * 8 + storage * 8 - fromTop - bitSize;
}
