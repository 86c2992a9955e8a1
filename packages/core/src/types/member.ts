import { sizeOfType, stripTypedefs } from "./strip.ts";
import type { CMember, CType, MemberLocation } from "./type-provider.ts";

type Aggregate = Extract<CType, { kind: "struct" | "union" }>;

/** Anonymous members looked into for one name; task_struct needs a few dozen. Ends hostile nesting. */
const MAX_STEPS = 100_000;

/**
 * Finds a member along a dotted path (`thread.sp`), through anonymous structs and unions, in any provider's types.
 * An element of an array is written `name[3]`. Null where there is none.
 */
export function findMember(root: Aggregate, path: string): MemberLocation | null {
  let type: CType = root;
  let bitOffset = 0;
  let found: CMember | null = null;
  let bitSize: number | null = null;
  for (const step of path.split(".")) {
    const bracket = step.indexOf("[");
    const name = bracket < 0 ? step : step.slice(0, bracket);
    const aggregate = stripTypedefs(type);
    if (name === "" || (aggregate.kind !== "struct" && aggregate.kind !== "union")) return null;
    const hit = search(aggregate, name, 0, { left: MAX_STEPS });
    if (hit === null) return null;
    bitOffset += hit.bitOffset;
    found = hit.member;
    bitSize = found.bitSize;
    type = found.type;
    if (bracket >= 0) {
      for (const index of step.slice(bracket).matchAll(/\[(\d+)\]/g)) {
        const array = stripTypedefs(type);
        if (array.kind !== "array") return null;
        bitOffset += 8 * Number(index[1]) * sizeOfType(array.element);
        type = array.element;
      }
    }
  }
  if (found === null) return null;
  const size = sizeOfType(type);
  // A bit field's storage unit is the aligned one of its declared type; the byte offset names that unit.
  const offset = bitSize === null || size === 0 ? Math.floor(bitOffset / 8) : Math.floor(bitOffset / (8 * size)) * size;
  return { offset, size, bitOffset, bitSize, type };
}

function search(
  aggregate: Aggregate,
  name: string,
  depth: number,
  budget: { left: number },
): { member: CMember; bitOffset: number } | null {
  if (depth > 16) return null;
  for (const member of aggregate.members) {
    if (budget.left-- <= 0) return null;
    if (member.name === name) return { member, bitOffset: member.bitOffset };
    if (member.name !== "") continue;
    const inner = stripTypedefs(member.type);
    if (inner.kind !== "struct" && inner.kind !== "union") continue;
    const hit = search(inner, name, depth + 1, budget);
    if (hit !== null) return { member: hit.member, bitOffset: member.bitOffset + hit.bitOffset };
  }
  return null;
}
