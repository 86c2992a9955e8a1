/**
 * Reads a pasted session of the crash utility. Every output is known by the shape of its lines, so that prompts may be
 * missing, outputs be cut, repeated or in any order, and prose stand between them.
 */
import type { Instruction } from "../../code/instruction.ts";
import { parseAttInstruction } from "./att-instruction.ts";
import { cleanLine, promptOf } from "./clean-line.ts";
import type { CrashSession, SessionCode, SessionFrame, SessionRegisters, SessionTask, SessionWord } from "./session.ts";

/** The fields of `sys`. */
const SYSTEM =
  /^\s*(KERNEL|DUMPFILE|CPUS|DATE|UPTIME|LOAD AVERAGE|TASKS|NODENAME|RELEASE|VERSION|MACHINE|MEMORY|PANIC):\s+(.*?)\s*$/;
const TASK = /^\s*PID:\s+(\d+)\s+TASK:\s+([0-9a-f]{8,16})\s+CPU:\s+(\d+)\s+COMMAND:\s+"(.*?)"/i;
const FRAME = /^\s*#\d+\s+\[([0-9a-f]{8,16})\]\s+(\S+)(?:\s+\(via \S+\))?\s+at\s+([0-9a-f]{8,16})(?:\s+\[(\w+)\])?/i;
const EXCEPTION = /\[exception RIP:\s*([\w.]+)\+(\d+|0x[0-9a-f]+)(?:\s+\[(\w+)\])?\]/i;
const REGISTERS = /\b(R[A-Z][A-Z0-9]|R\d\d?|ORIG_RAX|RFLAGS|CS|SS):\s+([0-9a-f]{4,16})\b/g;
const WORDS = /^\s*([0-9a-f]{16}):\s+(.*)$/i;
const CODE = /^\s*(?:0x)?([0-9a-f]{8,16})\s+<([\w.]+)(?:\+(\d+|0x[0-9a-f]+))?>:\s*(\S.*)$/i;
const SOURCE = /^\s*(\/?\S+\.[chS]):\s*(\d+)\s*$/;
/** A person left something out. */
const ELISION = /^\s*(?:\.{2,}|…|\[\.\.\.\]|\[snip\]|-{2,}\s*snip\s*-{2,})\s*$/i;

/** The longest x86 instruction, in bytes. */
const LONGEST = 15n;
/** No function's frame, no stack and no session is larger. */
const MAX_LINES = 2_000_000;

interface CodeLine {
  readonly address: bigint;
  readonly offset: bigint;
  readonly text: string;
  /** Something was left out before it. */
  readonly gap: boolean;
  readonly source: { readonly file: string; readonly line: number } | null;
}

class SessionReader {
  readonly system = new Map<string, string>();
  readonly words = new Map<bigint, SessionWord>();
  readonly tasks: { task: Omit<SessionTask, "frames" | "registers">; frames: SessionFrame[]; registers: Open[] }[] = [];
  readonly code = new Map<string, Map<bigint, CodeLine>>();
  prompts = 0;
  #gap = true;
  #exception: SessionRegisters["exception"] = null;
  #source: CodeLine["source"] = null;
  #inRegisters = false;

  line(raw: string): void {
    const text = cleanLine(raw);
    if (promptOf(text) !== null) {
      this.prompts++;
      this.#gap = true;
      this.#exception = null;
      return;
    }
    const known = this.#frame(text) || this.#registers(text) || this.#code(text) || this.#words(text);
    if (known) return;
    const field = SYSTEM.exec(text);
    if (field && !this.system.has(field[1]!)) this.system.set(field[1]!, field[2]!);
    if (ELISION.test(text)) this.#gap = true;
    const source = SOURCE.exec(text);
    this.#source = source ? { file: source[1]!, line: Number(source[2]) } : this.#source;
    this.#inRegisters = false;
  }

  #frame(text: string): boolean {
    const task = TASK.exec(text);
    if (task) {
      const [, pid, address, cpu, comm] = task as unknown as [string, string, string, string, string];
      this.tasks.push({
        task: { pid: Number(pid), task: BigInt(`0x${address}`), cpu: Number(cpu), comm },
        frames: [],
        registers: [],
      });
      this.#exception = null;
      return true;
    }
    const exception = EXCEPTION.exec(text);
    if (exception) {
      this.#exception = {
        function: exception[1]!,
        offset: Number(exception[2]),
        module: exception[3] ?? null,
      };
      this.#inRegisters = false;
      return true;
    }
    const frame = FRAME.exec(text);
    if (frame === null) return false;
    if (this.tasks.length === 0) {
      this.tasks.push({ task: { pid: null, task: null, cpu: null, comm: null }, frames: [], registers: [] });
    }
    this.tasks.at(-1)!.frames.push({
      slot: BigInt(`0x${frame[1]}`),
      function: frame[2]!,
      address: BigInt(`0x${frame[3]}`),
      module: frame[4] ?? null,
    });
    this.#exception = null;
    this.#inRegisters = false;
    return true;
  }

  #registers(text: string): boolean {
    const found = [...text.matchAll(REGISTERS)];
    const task = this.tasks.at(-1);
    if (found.length === 0 || task === undefined || task.frames.length === 0) return false;
    if (!this.#inRegisters) {
      task.registers.push({ exception: this.#exception, values: new Map(), after: task.frames.length - 1 });
      this.#inRegisters = true;
    }
    const { values } = task.registers.at(-1)!;
    for (const [, name, value] of found) values.set(name!.toLowerCase(), BigInt(`0x${value}`));
    return true;
  }

  #code(text: string): boolean {
    const match = CODE.exec(text);
    if (match === null) return false;
    const [, hex, name, offset, rest] = match as unknown as [string, string, string, string | undefined, string];
    const address = BigInt(`0x${hex}`);
    let lines = this.code.get(name);
    if (lines === undefined) {
      lines = new Map();
      this.code.set(name, lines);
    }
    if (!lines.has(address)) {
      lines.set(address, { address, offset: BigInt(offset ?? 0), text: rest, gap: this.#gap, source: this.#source });
    }
    this.#gap = false;
    return true;
  }

  /** `bt -r`, `bt -f`, `rd`, `rd -s`: an address and one or two words, or symbols in their place. */
  #words(text: string): boolean {
    const match = WORDS.exec(text);
    if (match === null) return false;
    let at = BigInt(`0x${match[1]}`);
    for (const token of match[2]!.split(/\s+/).slice(0, 2)) {
      const word = readWord(token);
      if (word === null) break;
      if (!this.words.has(at)) this.words.set(at, word);
      at += 8n;
    }
    return true;
  }
}

interface Open {
  readonly exception: SessionRegisters["exception"];
  readonly values: Map<string, bigint>;
  readonly after: number;
}

function readWord(token: string): SessionWord | null {
  if (/^[0-9a-f]{16}$/i.test(token)) return { value: BigInt(`0x${token}`), symbol: null, offset: 0 };
  const symbol = /^\[?([a-z_][\w.]*)(?:\+(\d+|0x[0-9a-f]+))?\]?$/i.exec(token);
  return symbol ? { value: null, symbol: symbol[1]!, offset: Number(symbol[2] ?? 0) } : null;
}

/** The listed instructions of a function in order; two listings of it are one. */
function buildCode(name: string, lines: ReadonlyMap<bigint, CodeLine>): SessionCode | null {
  const sorted = [...lines.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
  const first = sorted[0];
  if (first === undefined) return null;
  const start = first.address - first.offset;
  const instructions: Instruction[] = [];
  const sources = new Map<bigint, { file: string; line: number }>();
  const callees = new Map<bigint, string>();
  for (const [index, line] of sorted.entries()) {
    const next = sorted[index + 1];
    const distance = next === undefined ? 0n : next.address - line.address;
    const follows = next !== undefined && !next.gap && distance <= LONGEST;
    const instruction = parseAttInstruction(line.address, line.text, follows ? Number(distance) : 0);
    if (instruction !== null) instructions.push(instruction);
    const callee = instruction?.flow === "call" ? /<([\w.]+)>/.exec(line.text)?.[1] : undefined;
    if (callee !== undefined) callees.set(line.address, callee);
    if (line.source !== null) sources.set(line.address, line.source);
  }
  return { function: name, start, instructions, callees, lines: sources };
}

/** Null where the text is no such session: neither frames of `bt`, nor the fields of `sys`, nor words behind a prompt. */
export function parseSession(text: string): CrashSession | null {
  const reader = new SessionReader();
  let from = 0;
  for (let line = 0; line < MAX_LINES && from < text.length; line++) {
    const end = text.indexOf("\n", from);
    reader.line(text.slice(from, end < 0 ? text.length : end));
    if (end < 0) break;
    from = end + 1;
  }
  const framed = reader.tasks.some(({ frames }) => frames.length > 0);
  if (!framed && reader.system.size < 3 && (reader.prompts === 0 || reader.words.size === 0)) return null;
  const code = new Map<string, SessionCode>();
  for (const [name, lines] of reader.code) {
    const built = buildCode(name, lines);
    if (built !== null) code.set(name, built);
  }
  return {
    system: reader.system,
    tasks: reader.tasks.map(({ task, frames, registers }) => ({ ...task, frames, registers })),
    words: reader.words,
    code,
  };
}
