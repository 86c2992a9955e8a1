/** Functions' ids and how people name functions. */
import { SpillwayError } from "../errors.ts";
import type { CallGraph } from "./call-graph.ts";

/** "0xffffffff81000000" of a column's address. */
export function addressText(address: number): string {
  return `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
}

/** Names that are offered where there is none as it was typed. */
const OFFERED = 5;

export class FunctionNames {
  /** Of each function: its name where no other one has it, else `name@0xADDRESS`. */
  readonly ids: readonly string[];
  readonly #byName = new Map<string, number[]>();
  #clones: ReadonlyMap<string, readonly number[]> | null = null;
  readonly #graph: CallGraph;

  constructor(graph: CallGraph) {
    this.#graph = graph;
    const { name, start, count } = graph.functions;
    for (let f = 0; f < count; f++) {
      const same = this.#byName.get(name[f] as string);
      if (same === undefined) this.#byName.set(name[f] as string, [f]);
      else same.push(f);
    }
    this.ids = Array.from({ length: count }, (_, f) => {
      const own = name[f] as string;
      return (this.#byName.get(own) as number[]).length === 1 ? own : `${own}@${addressText(start[f] as number)}`;
    });
  }

  /** All functions of that name; of an id, the one. */
  all(name: string): readonly number[] {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const at = name.lastIndexOf("@");
    return at < 0 ? [] : this.all(name.slice(0, at)).filter((f) => this.ids[f] === name);
  }

  /** The compiler's clones of a function: `NAME.isra.0`, `NAME.constprop.0`. */
  clones(name: string): readonly number[] {
    if (this.#clones === null) {
      const clones = new Map<string, number[]>();
      for (const [f, own] of this.#graph.functions.name.entries()) {
        const dot = own.indexOf(".");
        if (dot <= 0) continue;
        const known = clones.get(own.slice(0, dot));
        if (known === undefined) clones.set(own.slice(0, dot), [f]);
        else known.push(f);
      }
      this.#clones = clones;
    }
    return this.#clones.get(name) ?? [];
  }

  /**
   * The function that a person means: a name, an id, or a system call's name as its manual page has it ("write"), where no
   * function is called just that. Of several of one name the kernel's before a module's, then the lowest.
   */
  find(name: string): number {
    for (const form of [name, `__x64_${name}`, `__x64_sys_${name}`, `__do_sys_${name}`]) {
      const found = this.all(form);
      const one = found.find((f) => this.#graph.functions.module[f] === null) ?? found[0];
      if (one !== undefined) return one;
    }
    const similar = this.#similar(name);
    const alike = similar.length === 0 ? "" : `; similar names: ${similar.join(", ")}`;
    throw new SpillwayError("SPW_BUDGET_NO_FUNCTION", `there is no function ${name} in the call graph`, {
      class: "missing",
      facts: { name, similar },
      hint: `it may have been inlined into its callers, or belong to a module that was not given${alike}`,
    });
  }

  /**
   * Names that a person may have meant: what is called that but for underscores and suffixes (`__kmalloc_noprof`, where kmalloc
   * is inlined), then what has the name in it; the shortest first.
   */
  #similar(name: string): readonly string[] {
    const wanted = bare(name);
    if (wanted.length < 3) return [];
    const rank = (one: string): number => {
      const own = bare(one);
      return own === wanted ? 0 : own.startsWith(`${wanted}_`) ? 1 : own.startsWith(wanted) ? 2 : 3;
    };
    return [...this.#byName.keys()]
      .filter((one) => one.includes(wanted))
      .map((one) => ({ one, rank: rank(one) }))
      .sort((a, b) => a.rank - b.rank || a.one.length - b.one.length || (a.one < b.one ? -1 : 1))
      .slice(0, OFFERED)
      .map(({ one }) => one);
  }
}

function bare(name: string): string {
  return name.replace(/^_+/, "").replace(/[.@].*$/, "");
}
