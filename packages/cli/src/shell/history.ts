import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Lines that are remembered from one shell to the next. */
export const HISTORY_LINES = 1000;

/** `$XDG_STATE_HOME/spillway/history`, by default under `~/.local/state` (XDG Base Directory Specification 0.8). */
export function historyFile(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(environment.XDG_STATE_HOME || join(homedir(), ".local", "state"), "spillway", "history");
}

/** The remembered lines, newest first as readline wants them; none where there is no such file. */
export function loadHistory(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean).slice(-HISTORY_LINES).reverse();
  } catch {
    return [];
  }
}

/**
 * Keeps the lines (newest first) for the next shell. A history that cannot be kept (a home that is read-only) is no reason
 * to trouble anybody.
 */
export function saveHistory(file: string, lines: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const text = lines.slice(0, HISTORY_LINES).reverse().join("\n");
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
  } catch {
    // Said above.
  }
}
