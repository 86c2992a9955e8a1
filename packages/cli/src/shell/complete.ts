import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname } from "node:path";
import type { Kernel, TypeProvider } from "@spillway/core";

/** Names offered at once: more are no help. */
const MAX_OFFERED = 200;

/** The shell's own words, beside the commands. */
const OWN_WORDS = ["set", "help", "exit", "quit"];

/** Commands whose arguments are symbols or addresses. */
const TAKE_SYMBOLS: ReadonlySet<string> = new Set(["sym", "dis", "rd", "list"]);
/** Commands whose first argument is a type, or TYPE.member. */
const TAKE_TYPES: ReadonlySet<string> = new Set(["struct", "union", "whatis"]);

/** Options whose argument is a file. */
const TAKE_FILES: ReadonlySet<string> = new Set([
  "--html",
  "--markdown",
  "-o",
  "--output",
  "--changelog",
  "--config",
  "--debuginfo",
]);

/** Completes a line of the shell: commands, options, symbols, types and their members, files behind `>`. */
export class Completer {
  readonly #symbolTable: Kernel["symbols"];
  readonly #typeProvider: TypeProvider;
  /** Commands, with the options of each. */
  readonly #commands: ReadonlyMap<string, readonly string[]>;
  #symbols: readonly string[] | null = null;
  #types: readonly string[] | null = null;

  /** @param types the kernel's and its modules' */
  constructor(symbols: Kernel["symbols"], types: TypeProvider, commands: ReadonlyMap<string, readonly string[]>) {
    this.#symbolTable = symbols;
    this.#typeProvider = types;
    this.#commands = commands;
  }

  /** What could stand for the last word of the text before the cursor, and that word; readline's own form. */
  complete(line: string): [string[], string] {
    const command = /[^;]*$/.exec(line)![0].trimStart();
    // "struct page.flags,lru": each member is a word of its own.
    const member = /^(?:struct|union)\s[^|>]*?([^\s.,]+)\.\S*,([^\s,]*)$/.exec(command);
    if (member !== null) return [this.#furtherMembers(member[1]!, member[2]!), member[2]!];
    const word = /\S*$/.exec(command)![0];
    return [this.#candidates(command, word).slice(0, MAX_OFFERED), word];
  }

  #candidates(command: string, word: string): string[] {
    if (command.startsWith("!") || /[|>]/.test(command)) return systemWords(command, word);
    const [name = "", ...before] = command
      .slice(0, command.length - word.length)
      .split(/\s+/)
      .filter(Boolean);
    const starting = (words: Iterable<string>) => [...words].filter((one) => one.startsWith(word));
    if (name === "" || (name === "help" && before.length === 0))
      return starting([...this.#commands.keys(), ...OWN_WORDS]);
    if (word.startsWith("-")) return starting(this.#commands.get(name) ?? []);
    const option = before[before.length - 1] ?? "";
    // "struct -o" asks for offsets.
    if (TAKE_FILES.has(option) && !(option === "-o" && TAKE_TYPES.has(name))) return files(word);
    if (TAKE_TYPES.has(name) && before.every((one) => one.startsWith("-"))) {
      return word.includes(".") ? this.#members(word) : range(this.#typeNames(), word);
    }
    return TAKE_SYMBOLS.has(name) || TAKE_TYPES.has(name) ? range(this.#symbolNames(), word) : [];
  }

  /** Completions of the second and later names in `task_struct.pid,comm`. */
  #furtherMembers(struct: string, word: string): string[] {
    return this.#members(`${struct}.${word}`).map((name) => name.slice(struct.length + 1));
  }

  /** Completions of `task_struct.thread.s`, each as a whole word. */
  #members(word: string): string[] {
    const dot = word.lastIndexOf(".");
    const [struct, ...path] = word.slice(0, dot).split(".") as [string, ...string[]];
    const found = path.length === 0 ? null : this.#typeProvider.member(struct, path.join("."));
    let type = path.length === 0 ? this.#typeProvider.structOrUnion(struct) : (found?.type ?? null);
    while (type?.kind === "typedef" || type?.kind === "const" || type?.kind === "volatile") type = type.target;
    if (type?.kind !== "struct" && type?.kind !== "union") return [];
    const part = word.slice(dot + 1);
    return named(type.members)
      .filter((name) => name.startsWith(part))
      .map((name) => word.slice(0, dot + 1) + name);
  }

  #symbolNames(): readonly string[] {
    this.#symbols ??= sorted(this.#symbolTable.all(), (symbol) => symbol.name);
    return this.#symbols;
  }

  #typeNames(): readonly string[] {
    this.#types ??= sorted(this.#typeProvider.names?.() ?? [], (name) => name);
    return this.#types;
  }
}

type Members = NonNullable<ReturnType<Kernel["types"]["structOrUnion"]>>["members"];

/** Member names, through anonymous structs and unions. */
function named(members: Members): string[] {
  return members.flatMap((member) => {
    if (member.name !== "") return [member.name];
    return member.type.kind === "struct" || member.type.kind === "union" ? named(member.type.members) : [];
  });
}

function sorted<T>(items: Iterable<T>, nameOf: (item: T) => string): string[] {
  const names = new Set<string>();
  for (const item of items) names.add(nameOf(item));
  return [...names].sort();
}

/** The names that start with a word, from a sorted list. */
function range(names: readonly string[], word: string): string[] {
  if (word === "") return [];
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < word) low = middle + 1;
    else high = middle;
  }
  const found: string[] = [];
  for (; low < names.length && names[low]!.startsWith(word) && found.length < MAX_OFFERED; low++)
    found.push(names[low]!);
  return found;
}

/** Words of what `sh` will run: a program where one can stand, else files. */
function systemWords(command: string, word: string): string[] {
  const before = command.slice(0, command.length - word.length);
  return !word.includes("/") && /(^!|[|])\s*$/.test(before) ? programs(word) : files(word);
}

/** Programs on PATH that start with a word. */
function programs(word: string): string[] {
  if (word === "") return [];
  const found = new Set<string>();
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const path of files(`${folder}/${word}`)) if (!path.endsWith("/")) found.add(basename(path));
  }
  return [...found].sort();
}

/** Files and folders that start as the word does; a folder ends in `/`. */
function files(word: string): string[] {
  const home = word.startsWith("~/") ? `${homedir()}${word.slice(1)}` : word;
  const folder = home.endsWith("/") ? home : dirname(home || "x");
  const part = home.endsWith("/") ? "" : basename(home);
  const shown = word.endsWith("/") ? word : word.slice(0, word.length - part.length);
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith(part) && (part.startsWith(".") || !entry.name.startsWith(".")))
      .map((entry) => `${shown}${entry.name}${entry.isDirectory() ? "/" : ""}`);
  } catch {
    return [];
  }
}
