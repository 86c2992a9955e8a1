import { lastWords } from "../lib/last-words.ts";
import { type Run, runMeasured } from "../lib/run-measured.ts";
import { drgnCommand, type Subject } from "./tools.ts";

/** One frame of somebody's backtrace, innermost first, kernel frames only. */
export interface ChainFrame {
  readonly function: string;
  /** Made by the compiler inside the frame that follows; it has no return address of its own. */
  readonly inlined: boolean;
}

export interface PeerChain {
  readonly frames: readonly ChainFrame[];
  /** What the tool itself complained of; null if it did not. */
  readonly error: string | null;
}

/** The same trace that drgn prints, as JSON, one [name, inlined, pc] a frame. */
const DRGN_CODE =
  'print("chain:" + __import__("json").dumps([[f.name, f.is_inline, hex(f.pc)] for f in prog.crashed_thread().stack_trace()]))';

/** drgn's chain of the crashed thread. */
export function drgnChain(file: string, subject: Subject): PeerChain {
  return parseDrgn(runMeasured(drgnCommand(file, subject, DRGN_CODE)));
}

export function parseDrgn(run: Pick<Run, "stdout" | "stderr" | "status">): PeerChain {
  const json = /^chain:(\[.*\])$/m.exec(run.stdout)?.[1];
  if (json === undefined) return { frames: [], error: lastWords(run.stderr) ?? `exit status ${run.status}` };
  const rows = JSON.parse(json) as [string, boolean, string][];
  const kernel = rows.filter(([, , pc]) => isKernelAddress(BigInt(pc)));
  return { frames: kernel.map(([name, inlined]) => ({ function: name, inlined })), error: null };
}

/** crash's chain of the panic task. */
export function parseCrash(run: Pick<Run, "stdout" | "stderr" | "status">): PeerChain {
  const frames: ChainFrame[] = [];
  let error: string | null = null;
  for (const line of run.stdout.split("\n")) {
    const frame = /^ *#\d+ \[[0-9a-f]+\] (\S+) at [0-9a-f]+/.exec(line)?.[1];
    const interrupted = /^ +\[exception RIP: (.+?)(?:\+\S*)?\]/.exec(line)?.[1];
    const name = frame ?? interrupted;
    if (name !== undefined) frames.push({ function: name.replace(/\+0x[0-9a-f]+$|\+\d+$/, ""), inlined: false });
    else if (/^ *bt: /.test(line)) error ??= line.trim();
  }
  if (frames.length === 0) error ??= lastWords(`${run.stdout}\n${run.stderr}`) ?? `exit status ${run.status}`;
  return { frames, error };
}

/** The chain in a document of `spillway diagnose --json`. */
export function parseSpillway(run: Pick<Run, "stdout" | "stderr" | "status">): PeerChain {
  try {
    const { frames } = JSON.parse(run.stdout) as {
      frames: { function: string | null; address: string; inlined: boolean }[];
    };
    return { frames: frames.map((f) => ({ function: f.function ?? f.address, inlined: f.inlined })), error: null };
  } catch {
    return { frames: [], error: lastWords(run.stderr) ?? `exit status ${run.status}` };
  }
}

/** x86_64 with 4 or 5 levels of page tables: the upper half. */
function isKernelAddress(address: bigint): boolean {
  return address >= 0xff00_0000_0000_0000n;
}
