/**
 * What a pasted session of the crash utility shows: parts of a task's stack, of the code and of the system's description,
 * each as far as somebody pasted it.
 */
import type { Instruction } from "../../code/instruction.ts";

/** A frame of crash's `bt`: a return address and where on the stack it lies. */
export interface SessionFrame {
  /** Where the return address into the function was stored. */
  readonly slot: bigint;
  readonly function: string;
  readonly address: bigint;
  readonly module: string | null;
}

export interface SessionRegisters {
  /** `[exception RIP: fn+off]` stands above them; null for those of user mode. */
  readonly exception: { readonly function: string; readonly offset: number; readonly module: string | null } | null;
  /** Lower-case names: rip, rsp, rbp, orig_rax … */
  readonly values: ReadonlyMap<string, bigint>;
  /** Index of the frame that they are printed behind. */
  readonly after: number;
}

/** One task's `bt`. */
export interface SessionTask {
  readonly pid: number | null;
  readonly task: bigint | null;
  readonly cpu: number | null;
  readonly comm: string | null;
  readonly frames: readonly SessionFrame[];
  readonly registers: readonly SessionRegisters[];
}

/** A word of memory: its value, or the symbol that crash printed in its place. */
export interface SessionWord {
  readonly value: bigint | null;
  readonly symbol: string | null;
  /** Bytes from the symbol. */
  readonly offset: number;
}

/** The listed part of one function. */
export interface SessionCode {
  readonly function: string;
  readonly start: bigint;
  /** By address; `length` is 0 where what follows was left out. */
  readonly instructions: readonly Instruction[];
  /** Functions that its calls go to by name, by the call's address. */
  readonly callees: ReadonlyMap<bigint, string>;
  /** `file: line` before an instruction (`dis -l`), by the instruction's address. */
  readonly lines: ReadonlyMap<bigint, { readonly file: string; readonly line: number }>;
}

export interface CrashSession {
  /** Fields of `sys`, by their names in capitals. */
  readonly system: ReadonlyMap<string, string>;
  readonly tasks: readonly SessionTask[];
  readonly words: ReadonlyMap<bigint, SessionWord>;
  readonly code: ReadonlyMap<string, SessionCode>;
}

/** The value of a word, resolving a symbol whose address the session shows elsewhere; null where it does not. */
export function wordAt(session: CrashSession, address: bigint): bigint | null {
  const word = session.words.get(address);
  if (word === undefined) return null;
  if (word.value !== null || word.symbol === null) return word.value;
  const start = session.code.get(word.symbol)?.start;
  if (start !== undefined) return start + BigInt(word.offset);
  // crash names a return address in bt, and the word that it lies in here.
  for (const { frames } of session.tasks) {
    const frame = frames.find((one) => one.slot === address && one.function === word.symbol);
    if (frame !== undefined) return frame.address;
  }
  return null;
}
