/** How the compiler names the basic types, and how people write them. */

const WRITTEN: ReadonlyMap<string, string> = new Map([
  ["short int", "short"],
  ["short unsigned int", "unsigned short"],
  ["long int", "long"],
  ["long unsigned int", "unsigned long"],
  ["long long int", "long long"],
  ["long long unsigned int", "unsigned long long"],
  ["_Bool", "bool"],
]);

/** `long unsigned int`, as BTF and DWARF record it, becomes `unsigned long`; other names stay. */
export function basicTypeName(recorded: string): string {
  return WRITTEN.get(recorded) ?? recorded;
}
