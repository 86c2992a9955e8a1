/** How a command that is at home on a command line reads at the shell's prompt, where the dump is open already. */

/** Commands that have no use at the prompt: they open no dump, or open one themselves. */
export const NOT_AT_PROMPT: ReadonlySet<string> = new Set([
  "shell",
  "lab",
  "guard",
  "budget",
  "plan",
  "simulate",
  "check",
]);

/** Takes "spillway" and the file out of an example or a hint: `spillway bt vmcore -a` is `bt -a`. */
export function withoutFile(text: string): string {
  return text
    .replaceAll(/^ *spillway COMMAND --help .*\n/gm, "")
    .replaceAll(/\bspillway ([a-z]+) (?:vmcore|FILE)\b/g, "$1")
    .replaceAll(/\bspillway ([a-z]+) --help\b/g, "help $1")
    .replaceAll(/\bspillway --help\b/g, "help")
    .replaceAll(/^(Usage: .*?)spillway /gm, "$1")
    .replaceAll(/ <file(\.\.\.)?>/g, "");
}
