/**
 * Text out of a dump, made safe to print: a crashed kernel's log or a task's name may hold anything, terminal control
 * sequences too. Control characters become dots; tabs and, where asked for, line ends stay.
 */
export function printable(text: string, options: { readonly keepLines?: boolean } = {}): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    if (character === "\t") return character;
    return character === "\n" && options.keepLines ? character : ".";
  });
}
