import type { Duplex } from "node:stream";
import { SpillwayError } from "@spillway/core";

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: { readonly guest?: boolean; readonly reason?: string };
  readonly QMP?: unknown;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SpillwayError) => void;
}

/** Talks QMP, QEMU's control protocol: a JSON object a line, answers in the order of the commands. */
export class QmpClient {
  readonly #stream: Duplex;
  readonly #pending: Pending[] = [];
  #buffer = "";
  #closed = false;
  #shutdown: string | null = null;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => this.#receive(chunk));
    stream.on("error", () => this.#close());
    stream.on("close", () => this.#close());
  }

  /** Has to come first: QEMU takes no other command before it. */
  async negotiate(): Promise<void> {
    await this.execute("qmp_capabilities");
  }

  /**
   * Why the machine was shut down, as QEMU's event says it ("guest-reset", "guest-shutdown", "host-signal" …); null where
   * no such event came.
   */
  get shutdown(): string | null {
    return this.#shutdown;
  }

  /** @throws SpillwayError SPW_LAB_QMP when QEMU refuses, or is gone */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(gone(command));
      this.#pending.push({ command, resolve, reject });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  #receive(chunk: string): void {
    this.#buffer += chunk;
    const lines = this.#buffer.split("\n");
    this.#buffer = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() === "") continue;
      const reply = JSON.parse(line) as Reply;
      if (reply.event === "SHUTDOWN") this.#shutdown = reply.data?.reason ?? null;
      if (reply.QMP !== undefined || reply.event !== undefined) continue;
      const pending = this.#pending.shift();
      if (pending === undefined) continue;
      if (reply.error === undefined) pending.resolve(reply.return);
      else pending.reject(refused(pending.command, reply.error.desc));
    }
  }

  #close(): void {
    this.#closed = true;
    for (const { command, reject } of this.#pending.splice(0)) reject(gone(command));
  }
}

function refused(command: string, reason: string): SpillwayError {
  return new SpillwayError("SPW_LAB_QMP", `QEMU refused ${command}: ${reason}`, {
    class: "environment",
    facts: { command, reason },
  });
}

function gone(command: string): SpillwayError {
  return new SpillwayError("SPW_LAB_QMP", `QEMU was gone before it answered ${command}`, {
    class: "environment",
    facts: { command },
  });
}
