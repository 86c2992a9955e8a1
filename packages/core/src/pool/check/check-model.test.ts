import { describe, expect, it, test } from "vitest";
import { checkModel } from "./check-model.ts";
import { parseModel } from "./parse-model.ts";
import { PRESETS } from "./presets.ts";

const check = (text: string, symmetry = true) => checkModel(parseModel(text), { symmetry });
const preset = (name: string) => PRESETS.find((one) => one.name === name)!.text;

describe("presets", () => {
  it.each([
    ["rfc-eio", "holds", 0],
    ["rfc-sleep", "deadlock", 3],
    ["rfc-sleep-fixed", "holds", 0],
    ["nested-eio", "holds", 0],
    ["nested-sleep", "deadlock", 4],
    ["nested-sleep-fixed", "holds", 0],
    ["xfs-2012", "deadlock", 6],
    ["xfs-2012-fixed", "holds", 0],
    ["xfs-2023", "deadlock", 2],
    ["xfs-2023-fixed", "holds", 0],
    ["resize", "holds", 0],
    ["resize-unchecked", "violated", 3],
    ["leak", "violated", 4],
  ])("%s: %s, %d steps", (name, verdict, steps) => {
    const document = check(preset(name));
    expect(document.verdict).toBe(verdict);
    expect(document.trace).toHaveLength(steps);
    expect(document.neverReached).toEqual([]);
  });

  test("all of them are in that table", () => expect(PRESETS).toHaveLength(13));
});

test("a deadlock is told step by step, with who holds what, and as a cycle", () => {
  const { trace, cycle, reason } = check(preset("rfc-sleep"));
  expect(reason).toBe("no task can go on");
  expect(trace.map(({ task, action, at }) => `${task} ${action} (${at})`)).toEqual([
    "writer 1 gets an extra stack (10:3)",
    "writer 2 gets an extra stack (10:3)",
    "flusher takes lock inode (19:3)",
  ]);
  expect(trace.at(-1)!.state).toEqual({
    inUse: 2,
    total: 2,
    variables: {},
    tasks: [
      { task: "writer 1", holds: ["an extra stack"], waitsFor: "lock inode", ended: false },
      { task: "writer 2", holds: ["an extra stack"], waitsFor: "lock inode", ended: false },
      { task: "flusher", holds: ["lock inode"], waitsFor: "an extra stack", ended: false },
    ],
  });
  expect(cycle).toEqual([
    "writer 1 holds an extra stack and waits for lock inode, held by flusher",
    "flusher holds lock inode and waits for an extra stack, all 2 held by writer 1 and writer 2",
  ]);
});

describe("counts that can be worked out by hand", () => {
  const steps = (count: number) => "step ".repeat(count);

  // Independent tasks of m steps: each is in one of m + 1 places.
  it.each([
    ["one task that does nothing", "task t { }", 1, 1, 0],
    ["one task, three steps", `task t { ${steps(3)} }`, 4, 4, 3],
    ["two tasks, three steps: 4 * 4", `task t * 2 { ${steps(3)} }`, 25, 16, 6],
    ["four tasks, two steps: 3 ** 4", `task t * 4 { ${steps(2)} }`, 217, 81, 8],
    ["two classes: 3 * 5", `task a { ${steps(2)} } task b { ${steps(4)} }`, 23, 15, 6],
    // (0,0) (1,0) (0,1) (2,0) (0,2) (2,1) (1,2) (2,2): all but the one with both inside.
    ["two tasks, one lock", "lock l task t * 2 { lock l unlock l }", 9, 8, 4],
    // On a stack one after the other; refused, the other one goes straight to its end.
    ["two tasks, one stack, -EIO", "stacks 1 task t * 2 { enter { } }", 11, 8, 3],
  ])("%s", (_what, text, states, distinct, depth) => {
    expect(check(text, false)).toMatchObject({ verdict: "holds", states, distinct, depth });
  });

  // Tasks that cannot be told apart: multisets of k places out of m + 1.
  it.each([
    [2, 3, 10],
    [4, 2, 15],
    [10, 3, 286],
  ])("%d identical tasks of %d steps: %d states", (count, m, distinct) => {
    const text = `task t * ${count} { ${steps(m)} }`;
    expect(check(text)).toMatchObject({ verdict: "holds", distinct, depth: count * m });
  });

  it.each([2, 3, 5, 7])(
    "%d dining philosophers deadlock after as many steps, and not if one begins at the right",
    (n) => {
      const forks = Array.from({ length: n }, (_, i) => `fork${i}`);
      const eats = (i: number, first: string, second: string) =>
        `task philosopher${i} { loop { lock ${first} lock ${second} unlock ${second} unlock ${first} } }`;
      const table = (last: boolean) =>
        `lock ${forks.join(", ")} ${forks
          .map((fork, i) => {
            const other = forks[(i + 1) % n]!;
            return last && i === n - 1 ? eats(i, other, fork) : eats(i, fork, other);
          })
          .join(" ")}`;
      const bad = check(table(false));
      expect(bad.verdict).toBe("deadlock");
      expect(bad.trace.map(({ task }) => task).sort()).toEqual(forks.map((_, i) => `philosopher${i}`));
      expect(bad.cycle).toHaveLength(n);
      expect(check(table(true)).verdict).toBe("holds");
    },
  );
});

describe("what is asked of every model", () => {
  it.each([
    ["a lock taken twice", "lock l task t { lock l lock l }", "deadlock", "no task can go on", 1],
    ["a stack that is not there", "stacks 0 policy sleep task t { enter { } }", "deadlock", "no task can go on", 0],
    ["a lock kept at the end", "lock l task t { step lock l }", "violated", "t ends holding lock l", 2],
    ["units kept at the end", "resource pages 3 task t { take pages 2 }", "violated", "t ends holding 2 of pages", 1],
    [
      "a refused task that keeps its lock",
      "stacks 0 lock l task t { lock l enter { } else { fail } unlock l }",
      "violated",
      "t was refused a stack and ends holding lock l",
      3,
    ],
    [
      "a lock released that is not held",
      "lock l task t { unlock l }",
      "violated",
      "t releases what it does not hold",
      1,
    ],
    [
      "an assertion",
      "var v = 1 task t { assert v == 1 set v = 2 assert v == 1 }",
      "violated",
      "t: an assertion fails",
      3,
    ],
    ["a variable that overflows", "var v = 255 task t { set v = v + 1 }", "violated", null, 1],
    [
      "an invariant",
      "stacks 2 task t * 2 { enter { } } always in_use < 2",
      "violated",
      "it is not so: always in_use < 2",
      2,
    ],
    [
      "an invariant of the first state",
      "task t { } always total == 1",
      "violated",
      "it is not so: always total == 1",
      0,
    ],
    ["an event", "task t { enter { } } never refused", "violated", "it is not so: never refused", 1],
    [
      "two tasks that wait for each other while a third goes on",
      "lock a, b task x { lock a lock b unlock b unlock a } task y { lock b lock a unlock a unlock b } task z { loop { step } }",
      "deadlock",
      "some tasks can never go on, while others do",
      2,
    ],
    [
      "a loop that never gives back",
      "lock l task t { lock l loop { step } unlock l }",
      "violated",
      "from here on there is no way back to a state in which nothing is held",
      1,
    ],
  ])("%s", (_what, text, verdict, reason, length) => {
    const document = check(text);
    expect(document.verdict).toBe(verdict);
    if (reason !== null) expect(document.reason).toBe(reason);
    expect(document.trace).toHaveLength(length);
    expect(check(text, false)).toMatchObject({ verdict, trace: document.trace });
  });

  test("mutual exclusion, by sections", () => {
    const model = (lock: string, unlock: string) =>
      `lock l task t * 3 { ${lock} section inside { step } ${unlock} } always inside <= 1 reach inside == 1`;
    expect(check(model("lock l", "unlock l")).verdict).toBe("holds");
    expect(check(model("step", "step"))).toMatchObject({ verdict: "violated", trace: { length: 2 } });
  });

  test("-EIO on each of the two levels gives the outer stack back", () =>
    expect(
      check(`stacks 2 task t * 2 { enter { step enter { step } else { fail } } else { fail } }
             reach refused reach in_use == 2 always in_use <= 2 reach t.done == 2`).verdict,
    ).toBe("holds"));
});

test("a goal that no state meets is a violation: what holds may hold because nothing happens", () => {
  const document = check("stacks 3 task t * 2 { enter { } } reach refused reach in_use == 2");
  expect(document.verdict).toBe("violated");
  expect(document.reason).toMatch(/^no state is like that: reach refused\./);
  expect(document.properties.slice(-2)).toEqual([
    { text: "reach refused", holds: false },
    { text: "reach in_use == 2", holds: true },
  ]);
});

test("places that no task comes to are named", () =>
  expect(check("stacks 2\ntask t * 2 {\n enter {\n step\n } else {\n fail\n }\n}").neverReached).toEqual(["6:2"]));

test.each([
  ["states", { states: 100 }],
  ["memory", { bytes: 300_000 }],
])("at a bound on %s nothing is claimed", (_what, bounds) => {
  const document = checkModel(parseModel(`task t * 12 { ${"step ".repeat(9)} }`), { bounds, symmetry: false });
  expect(document.verdict).toBe("incomplete");
  expect(document.properties.map(({ holds }) => holds)).toEqual([null, null, null, null]);
  expect(document.reason).toMatch(/nothing wrong so far, and nothing proven$/);
});

test("a failure that lies within the bound is found, and the counts of the whole where they are wanted", () => {
  const model = parseModel(preset("rfc-sleep"));
  expect(checkModel(model, { symmetry: false, bounds: { states: 24 } }).verdict).toBe("deadlock");
  expect(checkModel(model, { symmetry: false, keepGoing: true })).toMatchObject({
    verdict: "deadlock",
    trace: { length: 3 },
    states: 210,
    distinct: 119,
  });
});

test("under symmetry each task keeps its name through the trace", () => {
  const { trace } = check("stacks 2 policy sleep task t * 3 { enter { step step enter { } } }");
  for (const [index, { task, state }] of trace.entries()) {
    const before = trace[index - 1]?.state.tasks ?? [];
    const changed = state.tasks.filter(
      (one, at) => JSON.stringify(one.holds) !== JSON.stringify(before[at]?.holds ?? []),
    );
    expect(changed.every((one) => one.task === task)).toBe(true);
  }
});

test("every kind of step has its words", () => {
  const { trace } = check(`stacks 1 policy eio lock a, b resource pages 2 workers wq 1 var v = 0
    task t {
      choose { step } or { lock a trylock a { } else { sleep } unlock a trylock b { unlock b } }
      if v == 0 { set v = v + 2 }
      await v == 2
      take pages 2 give pages 2
      work wq { sleep "waits" }
      resize 0 resize 1
      enter { enter { } else { step "goes home" } resize 0 }
      assert v == 3
    }
    `);
  expect(trace.map(({ action }) => action)).toEqual([
    "chooses way 1 of 2",
    "goes on",
    "finds true: v == 0",
    "sets v to 2",
    "sees that v == 2",
    "gets 2 of pages",
    "gives back 2 of pages",
    "gets a worker of wq",
    "waits",
    "gives back a worker of wq",
    "changes the number of stacks from 1 to 0",
    "changes the number of stacks from 0 to 1",
    "gets an extra stack",
    "is refused an extra stack: -EIO",
    "goes home",
    "may not change it from 1 to 0",
    "gives back an extra stack",
    "finds wrong that v == 3",
  ]);
});
