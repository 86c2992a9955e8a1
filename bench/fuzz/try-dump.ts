import { MemorySource } from "../../packages/core/src/bytes/byte-source.ts";
import { SpillwayError } from "../../packages/core/src/errors.ts";
import { openDump } from "../../packages/core/src/image/open-dump.ts";
import { PAGE_SIZE } from "../../packages/core/src/image/physical-memory.ts";

const STATES = ["present", "excluded", "lost", "absent"];
/** Runs and pages looked at in each dump; a damaged header may claim billions. */
const MOST_RUNS = 50;

/** What became of a dump: refused with a code, or opened. */
export type Outcome = { readonly refused: string } | { readonly opened: number };

/**
 * Opens what may be a dump and asks everything of it that a diagnosis would.
 * @throws whatever a reader must not throw, and an Error where an answer contradicts the interfaces
 */
export function tryDump(files: readonly Uint8Array[]): Outcome {
  let image: ReturnType<typeof openDump>;
  try {
    image = openDump(files.map((bytes, i) => new MemorySource(bytes, `file${i}`)));
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    if (error.message.includes("\n") || error.message.includes("NaN") || error.message.includes("undefined")) {
      throw new Error(`not a clear line: ${error.message}`);
    }
    return { refused: error.code };
  }
  const { memory } = image;
  if (!(memory.maxPfn >= 0 && memory.maxPfn <= 2 ** 40)) throw new Error(`maxPfn ${memory.maxPfn}`);
  for (const note of image.cpuNotes) if (typeof note.registers.rip !== "bigint") throw new Error("a CPU without rip");

  let pages = 0;
  const ask = (pfn: number): void => {
    const before = memory.pageState(pfn);
    const page = memory.page(pfn);
    const after = memory.pageState(pfn);
    if (!STATES.includes(before) || !STATES.includes(after)) throw new Error(`page ${pfn} is ${before}, then ${after}`);
    if (page === null ? after === "present" : before !== "present" || page.length !== PAGE_SIZE) {
      throw new Error(`page ${pfn} is ${before}, then ${after}, with ${page?.length ?? "no"} bytes`);
    }
    if (page !== null) pages++;
  };
  for (let pfn = -1; pfn < 90; pfn++) ask(pfn);
  for (const pfn of [memory.maxPfn - 1, memory.maxPfn, memory.maxPfn + 1, 2 ** 40, 2 ** 52]) ask(pfn);
  let runs = 0;
  let end = 0;
  for (const run of memory.presentRanges()) {
    if (!(run.startPfn >= end && run.endPfn > run.startPfn && run.endPfn <= memory.maxPfn)) {
      throw new Error(`run ${run.startPfn}-${run.endPfn} after ${end}`);
    }
    end = run.endPfn;
    ask(run.startPfn);
    ask(run.endPfn - 1);
    if (++runs === MOST_RUNS) break;
  }
  for (const problem of image.problems) {
    if (!problem.code.startsWith("SPW_") || problem.message.includes("NaN")) throw new Error(problem.message);
  }
  return { opened: pages };
}
