/** Types of a few members at offsets that a test gives, and nothing else. */
import { EmptyTypes } from "../../types/empty-types.ts";
import type { MemberLocation, TypeProvider } from "../../types/type-provider.ts";

export type Layouts = Readonly<
  Record<string, { readonly size: number; readonly members: Readonly<Record<string, number>> }>
>;

export function typesOf(layouts: Layouts, enumerators: Readonly<Record<string, bigint>> = {}): TypeProvider {
  return {
    ...EmptyTypes,
    sizeOf: (struct) => layouts[struct]?.size ?? null,
    enumerator: (name) => enumerators[name] ?? null,
    member(struct, path): MemberLocation | null {
      const offset = layouts[struct]?.members[path];
      if (offset === undefined) return null;
      return { offset, size: 8, bitOffset: 0, bitSize: null, type: { kind: "void" } };
    },
  };
}

/** As in Linux 6.x on x86_64. */
export const CALLBACK_LAYOUTS: Layouts = {
  timer_list: { size: 40, members: { "entry.next": 0, "entry.pprev": 8, expires: 16, function: 24 } },
  work_struct: { size: 32, members: { entry: 8, "entry.next": 8, func: 24 } },
  hrtimer: { size: 64, members: { function: 40, base: 48 } },
};
