import type { SourceLocation } from "../debug-info.ts";
import type { DwarfFile } from "./dwarf-file.ts";
import { parseGrowing } from "./growing.ts";
import { type LineHeader, readLineHeader, textOf } from "./line-header.ts";
import { type LineRows, runLineProgram } from "./line-program.ts";
import { Reader } from "./reader.ts";

const HEADER_READ = 8192;
const LONGEST_HEADER = 1 << 24;
const LONGEST_PROGRAM = 1 << 23;

/** Which source line each instruction of a unit comes from. The header is read at once, the program when a line is asked for. */
export class LineTable {
  readonly #file: DwarfFile;
  readonly #offset: number;
  readonly #header: LineHeader;
  readonly #directory: string;
  readonly #paths = new Map<number, string | null>();
  #rows: LineRows | null = null;

  /**
   * @param offset of .debug_line (DW_AT_stmt_list)
   * @param directory DW_AT_comp_dir of the unit
   * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
   */
  constructor(file: DwarfFile, offset: number, directory: string, addressSize: number) {
    this.#file = file;
    this.#offset = offset;
    this.#directory = directory;
    this.#header = parseGrowing(file.section(".debug_line"), offset, HEADER_READ, LONGEST_HEADER, (reader) =>
      readLineHeader(reader, addressSize),
    );
  }

  /**
   * A file's path by the number that rows, DW_AT_call_file and DW_AT_decl_file use: its directory and name as the compiler was
   * given them. The unit's directory is not put before relative ones: kernels are built with paths from their source tree.
   */
  path(index: number): string | null {
    let path = this.#paths.get(index);
    if (path === undefined) {
      path = this.#makePath(index);
      this.#paths.set(index, path);
    }
    return path;
  }

  #makePath(index: number): string | null {
    const entry = this.#header.files[index];
    if (entry === undefined || (index === 0 && this.#header.version < 5)) return null;
    const name = textOf(this.#file, entry.name);
    if (name === "") return null;
    const listed = this.#header.directories[entry.directory];
    let directory = listed === undefined ? "" : textOf(this.#file, listed);
    if (entry.directory === 0 && directory === "") directory = this.#directory;
    return joinPath(directory, name);
  }

  /** @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` */
  get rows(): LineRows {
    if (this.#rows === null) {
      const { program, end } = this.#header;
      const section = this.#file.section(".debug_line");
      const bytes = end <= LONGEST_PROGRAM ? section?.bytes(this.#offset, end) : null;
      this.#rows = runLineProgram(new Reader(bytes ?? new Uint8Array(0)), { ...this.#header, program, end });
    }
    return this.#rows;
  }

  /** The line of the instruction at a signed link-time address. */
  at(pc: number): SourceLocation | null {
    const { addresses, sequences, files, lines, columns } = this.rows;
    for (const { low, high, first, last } of sequences) {
      if (low > pc) break;
      if (pc >= high) continue;
      // The last row at or before the address: later rows of one address replace earlier ones.
      let from = first;
      let to = last;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if ((addresses[middle] as number) <= pc) from = middle + 1;
        else to = middle;
      }
      const row = from - 1;
      if (row < first) continue;
      return this.location(files[row] as number, lines[row] as number, columns[row] as number);
    }
    return null;
  }

  /** A location from the numbers of a row or a DIE; null where the file or line is not told. */
  location(file: number | null, line: number | null, column: number | null): SourceLocation | null {
    const path = file === null ? null : this.path(file);
    if (path === null || line === null || line === 0) return null;
    return { file: path, line, column: column === 0 ? null : column };
  }

  /** Numbers of the files whose path is, or ends in, the one given. */
  filesNamed(path: string): readonly number[] {
    const found: number[] = [];
    this.#header.files.forEach((_, index) => {
      const own = this.path(index);
      if (own !== null && endsWithPath(own, path)) found.push(index);
    });
    return found;
  }

  /** First addresses of each run of rows of one line: where it begins, wherever it was put. Signed link-time addresses. */
  addressesOf(file: number, line: number): readonly number[] {
    const { addresses, sequences, files, lines, statements } = this.rows;
    const found: number[] = [];
    for (const { first, last } of sequences) {
      let before = false;
      for (let row = first; row < last; row++) {
        const here: boolean = files[row] === file && lines[row] === line && (statements[row] === 1 || before);
        if (here && !before) found.push(addresses[row] as number);
        before = here;
      }
    }
    return found;
  }
}

/** Joins and shortens "a/b/../c" and "./c": the same file has one name. */
export function joinPath(directory: string, name: string): string {
  const path = name.startsWith("/") || directory === "" ? name : `${directory}/${name}`;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts.at(-1);
    if (part === ".." && last !== undefined && last !== "..") parts.pop();
    else if (part !== ".." || !path.startsWith("/")) parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}

/** True where a path is the other, or its last parts are. */
export function endsWithPath(path: string, end: string): boolean {
  const tail = joinPath("", end);
  return path === tail || path.endsWith(tail.startsWith("/") ? tail : `/${tail}`);
}
