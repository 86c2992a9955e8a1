import { enumLines, formatDeclaration, formatTypeName, sizeOfType, typedefLines } from "@spillway/core";
import type { Meaning } from "../whatis.ts";
import { formatDefinition, formatLines, formatMembers, type OffsetColumn } from "./struct.ts";

function sizeLine(size: number, radix: 10 | 16): string {
  return size === 0 ? "" : `SIZE: ${radix === 16 ? `0x${size.toString(16)}` : size}\n`;
}

/** What a name means, as crash's `whatis` prints it. */
export function formatMeaning(meaning: Meaning, column: OffsetColumn): string {
  switch (meaning.kind) {
    case "aggregate":
      return formatDefinition(meaning.type, column);
    case "enum":
      return `${enumLines(meaning.type).join("\n")};\n${sizeLine(meaning.type.size, column.radix)}`;
    case "enumerator":
      return `${formatTypeName(meaning.type)}: ${meaning.name} = ${meaning.value}\n`;
    case "typedef": {
      const size = sizeOfType(meaning.target);
      return formatLines(typedefLines(meaning.name, meaning.target), size, column) + sizeLine(size, column.radix);
    }
    case "function":
      return `${formatDeclaration(meaning.type, meaning.name)};\n`;
    case "variable":
      return `${formatDeclaration(meaning.type, meaning.name)};\n${sizeLine(sizeOfType(meaning.type), column.radix)}`;
    case "member":
      return formatMembers(meaning.type, [meaning], column);
  }
}

/** What `whatis --json` prints. */
export function plainMeaning(meaning: Meaning): unknown {
  const { kind } = meaning;
  switch (kind) {
    case "aggregate":
      return { kind: meaning.type.kind, name: meaning.type.name, size: meaning.type.size };
    case "enum":
      return { kind, name: meaning.type.name, size: meaning.type.size, enumerators: enumerators(meaning.type) };
    case "enumerator":
      return { kind, name: meaning.name, enum: meaning.type.name, value: String(meaning.value) };
    case "typedef":
      return { kind, name: meaning.name, type: formatTypeName(meaning.target), size: sizeOfType(meaning.target) };
    case "function":
    case "variable":
      return { kind, name: meaning.name, declaration: formatDeclaration(meaning.type, meaning.name) };
    case "member":
      return {
        kind,
        name: meaning.path,
        type: formatTypeName(meaning.location.type),
        offset: Math.floor(meaning.location.bitOffset / 8),
        bitOffset: meaning.location.bitOffset,
        bitSize: meaning.location.bitSize,
      };
  }
}

function enumerators(type: { readonly enumerators: readonly { readonly name: string; readonly value: bigint }[] }) {
  return Object.fromEntries(type.enumerators.map((one) => [one.name, String(one.value)]));
}
