/** Build options that a report gives away: what it could not have said without them. */
import { type KernelOptions, noOptions, type OptionName } from "../kernel/option-state.ts";
import { headlineOf, type LogFacts } from "./log-facts.ts";

export function logOptions(facts: LogFacts): KernelOptions {
  const known = new Map<OptionName, string>();
  if (headlineOf(facts, "guard-page") !== null) known.set("VMAP_STACK", "the log reports a guard page of a stack");
  if (headlineOf(facts, "stack-protector") !== null)
    known.set("STACKPROTECTOR", "the stack protector's panic is in the log");
  if (headlineOf(facts, "stack-end") !== null)
    known.set("SCHED_STACK_END_CHECK", "the scheduler's panic about the stack's end is in the log");
  if (facts.kasan) known.set("KASAN", "the log names KASAN");
  return {
    state(option) {
      const evidence = known.get(option);
      return evidence === undefined ? noOptions.state(option) : { state: "yes", value: null, evidence };
    },
  };
}
