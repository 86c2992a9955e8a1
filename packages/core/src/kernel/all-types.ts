import { LayeredTypes } from "../types/layered-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { Kernel } from "./kernel.ts";
import { moduleTypes } from "./module-types.ts";

type TypedKernel = Pick<Kernel, "memory" | "symbols" | "types">;

function carried(kernel: TypedKernel): (() => TypeProvider | null)[] {
  return [() => kernel.types, ...kernel.symbols.modules.map((module) => () => moduleTypes(kernel, module))];
}

/** The type information (BTF) that the kernel and its modules carry. A module's is opened when those before did not know. */
export function carriedTypes(kernel: TypedKernel): TypeProvider {
  return new LayeredTypes(carried(kernel));
}

/** The same, and then debug information: slower, but it has what BTF lacks (the types of ordinary variables). */
export function allTypes(kernel: TypedKernel & Pick<Kernel, "debugInfo">): TypeProvider {
  return new LayeredTypes([...carried(kernel), () => kernel.debugInfo?.types ?? null]);
}
