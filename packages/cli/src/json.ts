/** JSON as every `--json` prints it: two blanks of indentation, addresses (bigint) as "0x…" strings, maps as objects. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (typeof item === "bigint") return `0x${item.toString(16)}`;
      if (item instanceof Map) return Object.fromEntries(item);
      return item;
    },
    2,
  );
  return `${text}\n`;
}
