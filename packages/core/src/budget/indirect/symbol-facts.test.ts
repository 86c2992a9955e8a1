import { expect, test } from "vitest";
import { symbolFacts } from "./symbol-facts.ts";

const NAMES: readonly (readonly [name: string, fact: string])[] = [
  ["__x86_indirect_thunk_rax", "thunk of register 0"],
  ["__x86_indirect_jump_thunk_r15", "thunk of register 15"],
  ["__x86_indirect_its_thunk_r11", "thunk of register 11"],
  ["__x86_indirect_thunk_array", "nothing"],
  ["__x86_return_thunk", "return thunk"],
  ["its_return_thunk", "return thunk"],
  ["zen_untrain_ret_alias", "return thunk"],
  ["srso_untrain_ret", "return thunk"],
  ["__fentry__", "preserving"],
  ["ftrace_regs_caller", "preserving"],
  ["ftrace_regs_caller_end", "nothing"],
  ["__tracepoint_sched_switch", "tracepoint sched_switch"],
  ["event_sched_switch", "event"],
  ["__event_sched_switch", "nothing"],
  ["__bpf_trace_tp_map_sched_switch", "map"],
  ["__ksymtab_kmalloc", "exports kmalloc"],
  ["kmalloc", "nothing"],
  ["_", "nothing"],
  ["", "nothing"],
];

test.each(NAMES)("%s: %s", (name, expected) => {
  const found = symbolFacts([{ name, address: 0xffffffff81000010n, type: "t", module: null }]);
  const at = 0x81000010 | 0;
  const facts = [
    found.thunks.has(at) ? `thunk of register ${found.thunks.get(at)}` : [],
    found.returnThunks.has(at) ? "return thunk" : [],
    found.preserving.has(at) ? "preserving" : [],
    found.tracepoints.has(at) ? `tracepoint ${found.tracepoints.get(at)}` : [],
    found.traced.map(({ address, kind }) => (address === at ? kind : "elsewhere")),
    [...found.exported].map((key) => `exports${key}`),
  ].flat();
  expect(facts.join() || "nothing").toBe(expected);
});
