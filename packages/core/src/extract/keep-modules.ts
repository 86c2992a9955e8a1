import { keepModuleSections } from "./keep-module-sections.ts";
import type { Keeper } from "./keeper.ts";

/** Data of a module up to here is kept whole: foreign writes are traced to it. */
const SMALL_DATA = 64 * 1024;

/** Keeps each module's `struct module`, its sections' names and, where they are small, its data. Symbols and types are kept by asking. */
export function keepModules(keeper: Keeper): void {
  for (const module of keeper.kernel.symbols.modules) {
    keeper.struct(module.address, "module", 2048);
    keepModuleSections(keeper, module.address);
    for (const area of module.areas) if (!area.text && area.size <= SMALL_DATA) keeper.range(area.start, area.size);
  }
}
