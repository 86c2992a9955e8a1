import { engset, erlangB, erlangC, erlangCWait } from "./formulas.ts";
import { meanRate } from "./laws.ts";
import { levelHold, offeredLoad, type PoolModel } from "./model.ts";
import type { SimulationDocument } from "./result.ts";

/** The formula that a model fulfils the conditions of; null where there is none. */
export function theoryOf(model: PoolModel): SimulationDocument["formula"] {
  const load = offeredLoad(model);
  const hold = levelHold(model);
  if (load === null || hold === null || model.arrivals.kind !== "poisson" || model.nest > 0) return null;
  if (model.policy === "eio") {
    if (model.tasks === null) return { name: "Erlang B", refusal: erlangB(load, model.stacks) };
    const each = meanRate(model.arrivals) * model.deep * hold;
    return { name: "Engset", refusal: engset(model.tasks, each, model.stacks) };
  }
  if (model.tasks !== null || model.hold.kind !== "exponential" || model.sleep !== null) return null;
  if (load >= model.stacks) return null;
  return {
    name: "Erlang C",
    wait: erlangC(load, model.stacks),
    meanWait: erlangCWait(load, model.stacks, hold),
  };
}
