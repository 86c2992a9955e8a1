/** Which CPU, task and kernel one report is about, from the first lines that say it. */
import { type ProcessLine, readProcessLine } from "./process-line.ts";
import type { ConsoleCrash } from "./report.ts";

type ProcessFacts = Pick<ConsoleCrash, "cpu" | "pid" | "comm" | "release" | "taints" | "processLine">;

export class ProcessState {
  #facts: ProcessFacts = { cpu: null, pid: null, comm: null, release: null, taints: null, processLine: null };

  /** @returns whether the line was one of these */
  push(text: string): boolean {
    const read = readProcessLine(text);
    if (read !== null) this.add(read, text);
    return read !== null;
  }

  add(read: ProcessLine, line: string | null): void {
    const { cpu, pid, comm, release, taints, processLine } = this.#facts;
    this.#facts = {
      cpu: cpu ?? read.cpu,
      pid: pid ?? read.pid,
      comm: comm ?? read.comm,
      release: release ?? read.release,
      taints: taints ?? read.taints,
      processLine: processLine ?? line,
    };
  }

  facts(): ProcessFacts {
    return this.#facts;
  }
}
