import { expect, test } from "vitest";
import { graphOf } from "./call-graph.fixture.ts";
import { countFatalCalls, fatalFunctions } from "./fatal.ts";
import { pathGraph } from "./path-graph.ts";
import { solveGraph } from "./solve.ts";

test("what leads to nothing but panic is fatal; what dies in another way is not", () => {
  const graph = graphOf(`
    work 20: __stack_chk_fail+20, do_exit+20, die+20
    __stack_chk_fail 16: panic+16
    panic 400: dump+390, emergency_restart+390
    dump 900:
    emergency_restart 20: spin+20
    do_exit 80: do_task_dead+80, panic+80
    do_task_dead 30: schedule+30
    die 60: dump+60
    spin 8:
    watchdog 72: work+72, panic+72
  `);
  const never = ["watchdog", "__stack_chk_fail", "panic", "do_exit", "do_task_dead", "spin", "emergency_restart"];
  graph.functions.name.forEach((name, f) => {
    graph.functions.returns[f] = never.includes(name) ? 0 : 1;
  });
  const fatal = fatalFunctions(graph);
  expect(graph.functions.name.filter((_, f) => fatal[f] === 1)).toEqual(["__stack_chk_fail", "panic"]);
  expect(countFatalCalls(graph, fatal)).toBe(3);
  const ended = solveGraph(pathGraph(graph, { fatal, apart: new Uint8Array(graph.functions.count) }));
  const depthOf = (name: string) => ended.levels.direct.passes[0]?.depth[graph.functions.name.indexOf(name)];
  expect(depthOf("panic")).toBe(400);
  expect(depthOf("__stack_chk_fail")).toBe(16);
  // WARN and oopses return: what they print counts.
  expect(depthOf("work")).toBe(20 + 60 + 900);
});
