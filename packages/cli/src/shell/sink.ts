import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import pc from "picocolors";
import { OutputClosed, type Terminal } from "../terminal.ts";

/** Runs text with `sh`. Ctrl-C ends what runs there, not the shell of ours that waits for it. */
export class SystemShell {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;

  /** @param piped what is written to `write` becomes its standard input; else it reads ours */
  constructor(text: string, piped: boolean) {
    const ignore = (): void => {};
    process.on("SIGINT", ignore);
    this.#child = spawn("/bin/sh", ["-c", text], { stdio: [piped ? "pipe" : "inherit", "inherit", "inherit"] });
    // Its reader may go at any time (`| head`).
    this.#child.stdin?.on("error", ignore);
    this.#ended = new Promise((resolve) => {
      const end = (code: number | null, signal?: NodeJS.Signals | null): void => {
        process.off("SIGINT", ignore);
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      };
      this.#child.on("error", () => end(127));
      this.#child.on("close", end);
    });
  }

  /** @throws OutputClosed */
  write(text: string): void {
    const stdin = this.#child.stdin;
    if (stdin === null || stdin.errored || stdin.destroyed) throw new OutputClosed();
    stdin.write(text);
  }

  /** Closes its input and waits for it; its exit code, or 128 and the signal's number as shells say it. */
  end(): Promise<number> {
    this.#child.stdin?.end();
    return this.#ended;
  }
}

/** What `sh` is to run for the part of a line behind the command: a pipeline, or a redirection of what comes in. */
export function systemText(sink: string): string {
  return sink.startsWith(">") ? `cat ${sink}` : sink;
}

/** A terminal whose standard output goes to `sh`: nobody looks at it, so no colours and no laying out for a screen. */
export function sinkTerminal(terminal: Terminal, shell: SystemShell): Terminal {
  return {
    ...terminal,
    interactive: false,
    colors: pc.createColors(false),
    write: (text) => shell.write(text),
    writeError: (text) => terminal.writeError(text),
  };
}
