import type { CValue } from "./value.ts";

/**
 * A value for `--json`: structs as objects (nameless members' members among their parent's), arrays as arrays, text as
 * strings, enumerators by name, whole numbers as numbers while those are exact and as decimal strings beyond, pointers as
 * bigints (which print as "0x…"), null for what is not in the dump.
 */
export function plainValue(value: CValue): unknown {
  switch (value.kind) {
    case "integer":
      return plainInteger(value.value);
    case "boolean":
      return value.value === 0n ? false : value.value === 1n ? true : plainInteger(value.value);
    case "character":
    case "float":
      return value.value;
    case "enum":
      return value.name ?? plainInteger(value.value);
    case "pointer":
      return value.value;
    case "text": {
      let text = "";
      for (const byte of value.bytes) text += String.fromCharCode(byte);
      return text.replace(/\0+$/, "");
    }
    case "array":
      return value.items.map(plainValue);
    case "struct": {
      const object = Object.create(null) as Record<string, unknown>;
      for (const { name, value: member } of value.members) {
        const plain = plainValue(member);
        if (name !== "") object[name] = plain;
        else if (member.kind === "struct") Object.assign(object, plain);
      }
      return object;
    }
    case "none":
    case "missing":
      return null;
  }
}

function plainInteger(value: bigint): number | string {
  return BigInt.asIntN(54, value) === value ? Number(value) : value.toString();
}
