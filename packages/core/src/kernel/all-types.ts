import { LayeredTypes } from "../types/layered-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { Kernel } from "./kernel.ts";
import { moduleTypes } from "./module-types.ts";

/**
 * The types of a kernel and its modules: its own type information (BTF), then each module's, then debug information, which is
 * slower but has what BTF lacks (the types of ordinary variables). A source is opened when those before did not know a name.
 */
export function allTypes(kernel: Pick<Kernel, "memory" | "symbols" | "types" | "debugInfo">): TypeProvider {
  const modules = kernel.symbols.modules.map((module) => () => moduleTypes(kernel, module));
  return new LayeredTypes([() => kernel.types, ...modules, () => kernel.debugInfo?.types ?? null]);
}
