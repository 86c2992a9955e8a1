/** Types as C declarations: what `struct`, `union` and `whatis` print. */
import { basicTypeName } from "./c-names.ts";
import type { CEnumerator, CMember, CParameter, CType } from "./type-provider.ts";

type Aggregate = Extract<CType, { kind: "struct" | "union" }>;
type Enum = Extract<CType, { kind: "enum" }>;

/** Declarators nested deeper than this are no C; a damaged type section may nest for ever. */
const MAX_DEPTH = 32;
/** Anonymous structs within each other; the kernel has six. */
const MAX_NESTING = 16;
/** C promises 127; the kernel's longest list has some 15. */
const MAX_PARAMETERS = 256;
/** Types written out in one answer: a struct of 400 members takes some thousand. */
const MAX_PARTS = 20_000;
/** Members of a nameless struct, or enumerators of a nameless enum, on one line. */
const MAX_INLINE = 64;
/** Lines of one definition: the largest struct of a kernel has some 400; ends hostile nesting. */
const MAX_LINES = 20_000;

/** One line of a definition. */
export interface DefinitionLine {
  /** 0 for the outermost braces. */
  readonly depth: number;
  readonly text: string;
  /** Where the member begins, in bits from the start of the outermost type; null for lines that are no member. */
  readonly bitOffset: number | null;
}

/**
 * A declaration of `name` (empty: the type's own name): `int (*iterate)(struct file *, struct dir_context *)`.
 * Nameless structs and unions are written out on one line.
 */
export function formatDeclaration(type: CType, name: string): string {
  return declare(type, name, 0, { left: MAX_PARTS });
}

/** The type's own name, as in a cast: `char *const`, `struct page *[4]`. */
export function formatTypeName(type: CType): string {
  return declare(type, "", 0, { left: MAX_PARTS });
}

/** What is left to write; shared by all parts of one answer, since hostile types branch at every level. */
interface Budget {
  left: number;
}

function declare(start: CType, declarator: string, depth: number, budget: Budget): string {
  if (depth > MAX_DEPTH || budget.left-- <= 0) return join("…", declarator);
  let type = start;
  let qualifiers = "";
  for (let n = 0; type.kind === "const" || type.kind === "volatile" || type.kind === "restrict"; n++) {
    if (n > MAX_DEPTH) return join("…", declarator);
    if (!qualifiers.includes(type.kind)) qualifiers += `${type.kind} `;
    type = type.target;
  }
  switch (type.kind) {
    case "pointer": {
      const stars = `*${qualifiers}${declarator}`;
      const target = withoutQualifiers(type.target);
      const bracketed = target.kind === "array" || target.kind === "function" ? `(${stars.trim()})` : stars;
      return declare(type.target, declarator === "" ? bracketed.trim() : bracketed, depth + 1, budget);
    }
    case "array": {
      const length = type.length === 0 ? "" : String(type.length);
      // A qualified array is an array of qualified elements.
      return declare(requalified(type.element, qualifiers), `${declarator}[${length}]`, depth + 1, budget);
    }
    case "function":
      return declare(type.returns, `${declarator}(${parameters(type.parameters, depth, budget)})`, depth + 1, budget);
    default:
      return join(qualifiers + baseName(type, depth, budget), declarator);
  }
}

function join(base: string, declarator: string): string {
  return declarator === "" ? base : `${base} ${declarator}`;
}

function withoutQualifiers(start: CType): CType {
  let type = start;
  for (let n = 0; n < MAX_DEPTH; n++) {
    if (type.kind !== "const" && type.kind !== "volatile" && type.kind !== "restrict") break;
    type = type.target;
  }
  return type;
}

function requalified(element: CType, qualifiers: string): CType {
  let type = element;
  for (const kind of ["restrict", "volatile", "const"] as const) {
    if (qualifiers.includes(kind)) type = { kind, name: "", target: type };
  }
  return type;
}

function parameters(list: readonly CParameter[], depth: number, budget: Budget): string {
  if (list.length === 0) return "void";
  return list
    .slice(0, MAX_PARAMETERS)
    .map((one, index) => {
      const variadic = index === list.length - 1 && one.name === "" && one.type.kind === "void";
      return variadic ? "..." : declare(one.type, one.name, depth + 1, budget);
    })
    .join(", ");
}

function baseName(type: CType, depth: number, budget: Budget): string {
  switch (type.kind) {
    case "void":
      return "void";
    case "int":
    case "float":
      return basicTypeName(type.name);
    case "typedef":
      return type.name;
    case "forward":
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case "struct":
    case "union":
      if (type.name !== "") return `${type.kind} ${type.name}`;
      return `${type.kind} { ${inline(type, depth, budget)}}`;
    case "enum":
      return type.name === ""
        ? `enum { ${type.enumerators
            .slice(0, MAX_INLINE)
            .map((one) => one.name)
            .join(", ")} }`
        : `enum ${type.name}`;
    default:
      return type.kind;
  }
}

function inline(type: Aggregate, depth: number, budget: Budget): string {
  if (depth > MAX_NESTING) return "… ";
  return type.members
    .slice(0, MAX_INLINE)
    .map(
      (member) =>
        `${declare(member.type, member.name, depth + 4, budget)}${member.bitSize === null ? "" : ` : ${member.bitSize}`}; `,
    )
    .join("");
}

/**
 * The definition of a struct or union, line by line, nameless members written out where they stand. The first line is
 * `struct NAME {`, the last `}`.
 */
export function definitionLines(type: Aggregate): DefinitionLine[] {
  const lines: DefinitionLine[] = [];
  lines.push({ depth: 0, text: `${heading(type)} {`, bitOffset: null });
  addMembers(lines, type, 1, 0, { left: MAX_PARTS });
  lines.push({ depth: 0, text: "}", bitOffset: null });
  return lines;
}

/** `typedef … NAME;`, with what it stands for written out where that is an enum or has no name of its own. */
export function typedefLines(name: string, target: CType): DefinitionLine[] {
  const lines: DefinitionLine[] = [];
  if (target.kind === "enum") {
    const [first, ...rest] = enumLines(target);
    lines.push({ depth: 0, text: `typedef ${first}`, bitOffset: null });
    for (const text of rest.slice(0, -1)) lines.push({ depth: 0, text, bitOffset: null });
    lines.push({ depth: 0, text: `} ${name};`, bitOffset: null });
    return lines;
  }
  addDeclaration(lines, { name, type: target, bitOffset: 0, bitSize: null }, 0, 0, { left: MAX_PARTS });
  return lines.map((line, index) => ({
    ...line,
    text: index === 0 ? `typedef ${line.text}` : line.text,
    bitOffset: line.depth === 0 ? null : line.bitOffset,
  }));
}

function heading(type: Aggregate): string {
  return type.name === "" ? type.kind : `${type.kind} ${type.name}`;
}

/** @param base bits from the start of the outermost type; null behind a pointer, where there is no such distance */
function addMembers(
  lines: DefinitionLine[],
  type: Aggregate,
  depth: number,
  base: number | null,
  budget: Budget,
): void {
  for (const member of type.members) {
    if (lines.length > MAX_LINES) return;
    addDeclaration(lines, member, depth, base, budget);
  }
}

function addDeclaration(
  lines: DefinitionLine[],
  member: CMember,
  depth: number,
  base: number | null,
  budget: Budget,
): void {
  const bitOffset = base === null ? null : base + member.bitOffset;
  const { inner, declarator, indirect } = namelessBase(member.type, member.name);
  if (inner === null || depth > MAX_NESTING) {
    lines.push({ depth, text: `${writeMember(member, budget)};`, bitOffset });
    return;
  }
  lines.push({ depth, text: `${inner.kind} {`, bitOffset: null });
  addMembers(lines, inner, depth + 1, indirect ? null : bitOffset, budget);
  lines.push(
    declarator === "" ? { depth, text: "};", bitOffset: null } : { depth, text: `} ${declarator};`, bitOffset },
  );
}

/** The nameless struct or union that a declaration is made of, with what is declared of it (`*list`, `slots[4]`). */
function namelessBase(start: CType, name: string): { inner: Aggregate | null; declarator: string; indirect: boolean } {
  let type = start;
  let declarator = name;
  let indirect = false;
  for (let n = 0; n < MAX_DEPTH; n++) {
    switch (type.kind) {
      case "const":
      case "volatile":
      case "restrict":
        type = type.target;
        continue;
      case "array":
        declarator = `${declarator}[${type.length === 0 ? "" : type.length}]`;
        type = type.element;
        continue;
      case "pointer":
        declarator = withoutQualifiers(type.target).kind === "array" ? `(*${declarator})` : `*${declarator}`;
        type = type.target;
        indirect = true;
        continue;
      case "struct":
      case "union":
        return { inner: type.name === "" ? type : null, declarator, indirect };
      default:
        return { inner: null, declarator, indirect };
    }
  }
  return { inner: null, declarator, indirect };
}

/** One member as a line of its own: `pid_t pid`, `unsigned int in_execve : 1`. */
export function formatMember(name: string, type: CType, bitSize: number | null): string {
  return writeMember({ name, type, bitSize }, { left: MAX_PARTS });
}

function writeMember({ name, type, bitSize }: Pick<CMember, "name" | "type" | "bitSize">, budget: Budget): string {
  return `${declare(type, name, 0, budget)}${bitSize === null ? "" : ` : ${bitSize}`}`;
}

/** The definition of an enum: `enum NAME {`, an enumerator a line, `}`. */
export function enumLines(type: Enum): string[] {
  const values = type.enumerators.map((one: CEnumerator) => `  ${one.name} = ${one.value}`);
  return [`${["enum", type.name].filter(Boolean).join(" ")} {`, ...values, "}"];
}
