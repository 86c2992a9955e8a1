import fc from "fast-check";
import { expect, test } from "vitest";
import { SpillwayError } from "../../errors.ts";
import { checkModel } from "./check-model.ts";
import { jsonErrorAt } from "./json-error.ts";
import { changeModel, parseModel } from "./parse-model.ts";

function complaint(source: string): string {
  try {
    checkModel(parseModel(source), { bounds: { states: 1000 } });
    return "";
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

const deep = (open: string, close: string, times = 200): string =>
  `task t { ${open.repeat(times)} ${close.repeat(times)} }`;

const COMPLAINTS: readonly (readonly [string, string])[] = [
  ["task t { step", "1:14: expected a step"],
  ["stacks two", '1:8: expected the number of stacks, found "two"'],
  ["stacks 300", "1:8: the number of stacks: 300 is not between 0 and 255"],
  ["stacks 1\nstacks 2", "2:1: the number of stacks was given before"],
  ["policy maybe", '1:8: expected "eio" or "sleep", found "maybe"'],
  ["task t {\n  frobnicate\n}", "2:3: expected a step"],
  ["task t {\n  lock l\n}", '2:3: there is no lock "l"'],
  ["lock l\ntask t { work l { } }", '2:10: there is no worker pool "l"'],
  ["lock l, l\ntask t { }", '1:9: "l" is declared twice'],
  ["lock total\ntask t { }", '1:6: "total" has a meaning of its own'],
  ["task t { } always x == 1", '1:19: nothing is known of "x"'],
  ["task t { } always t == 1", '1:19: nothing is known of "t": tasks are counted by "t.done"'],
  ["task t { } always (1 == 1", '1:26: expected ")", found the end of the model'],
  ["task t { } always refused", '1:19: nothing is known of "refused"'],
  ["task t { assert 1 + }", '1:21: expected a name, a number or a parenthesis, found "}"'],
  ['task t { step "open }', "1:15: a text without its closing quote"],
  ["task t { step @ }", '1:15: "@" has no meaning here'],
  ["task t { loop { } }", "1:10: a loop without a step in it"],
  ["task t * 0 { }", "1:10: how many tasks: 0 is not between 1 and 64"],
  ["lock l", "a model without a task"],
  ["", "a model without a task"],
  [deep("enter { ", "} "), "blocks that are nested too deeply"],
  [`task t { assert ${"(".repeat(500)}1${")".repeat(500)} }`, "an expression that is nested too deeply"],
  [`task t { assert ${"!".repeat(500)}1 }`, "an expression that is nested too deeply"],
  [`task t { assert 1${" + 1".repeat(5000)} }`, "an expression that is too long"],
  ['{"tasks": [}', '1:12: this is no JSON: "}" cannot stand here'],
  ['{\n  "tasks": [\n    {"name": "t" "steps": []}\n  ]\n}', '3:18: this is no JSON: """ cannot stand here'],
  [
    '{"tasks": [{"name": "t", "steps": [{"lok": "l"}]}]}',
    "tasks[0].steps[0]: expected a step: an object with one of lock",
  ],
  ['{"tasks": [{"name": "t", "steps": [{"lock": 1}]}]}', "tasks[0].steps[0].lock: expected a text"],
  [
    '{"tasks": [{"name": "t", "steps": [{"enter": [{"unlock": "l"}]}]}]}',
    'tasks[0].steps[0].enter[0]: there is no lock "l"',
  ],
  ['{"tasks": [{"name": "a b", "steps": []}]}', 'tasks[0]: "a b" is no name'],
  ['{"tasks": [], "lock": []}', 'nothing is known of "lock" here'],
  ['{"tasks": [{"name": "t", "steps": []}], "always": ["1 =="]}', "always[0], character 5: expected a name"],
  ['{"stacks": 1.5, "tasks": []}', "stacks: expected a whole number between 0 and 255"],
  [
    `{"tasks": [{"name": "t", "steps": ${'[{"enter": '.repeat(300)}[]${"}]".repeat(300)}}]}`,
    "blocks that are nested too deeply",
  ],
];

test.each(COMPLAINTS.map(([source, expected]) => ({ source, expected, title: source.slice(0, 60) })))(
  "$title: $expected",
  ({ source, expected }) => {
    const said = complaint(source);
    expect(said).toMatch(/^SPW_CHECK_BAD_MODEL /);
    expect(said).toContain(expected);
  },
);

test.each([
  ["text without an end", "#".repeat(300_000), "a model of more than 256 KiB of text"],
  ["too many tasks", "task a * 40 { } task b * 40 { }", "80 tasks; at most 64 are checked"],
  ["loops in loops", "task t { loop 1000 { loop 1000 { loop 1000 { step } } } }", "a program of more than 10000 steps"],
  ["too many names", Array.from({ length: 100 }, (_, i) => `lock l${i}`).join("\n"), "more than 64 names"],
  [
    "a task that can be in too many states by itself",
    `resource a 255 resource b 255 resource c 255
     task t { loop { choose { take a } or { take b } or { take c } } }`,
    "one task of the model can be in more than 65535 states",
  ],
])("too much: %s", (_what, source, expected) => {
  expect(complaint(`${source}${source.includes("task") ? "" : " \ntask t { }"}`)).toMatch(/^SPW_CHECK_TOO_LARGE /);
  expect(complaint(`${source}${source.includes("task") ? "" : " \ntask t { }"}`)).toContain(expected);
});

test("whatever the text, it is a model or a complaint", () => {
  const words = fc.constantFrom(
    ..."stacks policy sleep eio lock l task t { } { } enter work loop choose or else 1 2 * ( ) == always reach in_use fail step".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), (text) => void complaint(text.join(" "))),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.string(), (text) => void complaint(text)));
  fc.assert(fc.property(fc.json(), (text) => void complaint(text)));
});

test("where a text stops being JSON; never in one that JSON.parse takes, always in one that it refuses", () => {
  expect(jsonErrorAt('{"a": [1, 2')).toBe(11);
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom("", "}", "]", ",", '"', "x", "1", ":"), (json, where, put) => {
      const place = where % (json.length + 1);
      const text = json.slice(0, place) + put + json.slice(place + (where % 2));
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(jsonErrorAt(text) === null).toBe(isJson);
    }),
    { numRuns: 300 },
  );
});

test("numbers can be changed without editing the model", () => {
  const model = parseModel("stacks 1 policy eio task t { enter { } }");
  const changed = changeModel(model, { stacks: 4, policy: "sleep", tasks: new Map([["t", 3]]) });
  expect(changed).toMatchObject({ stacks: 4, policy: "sleep", tasks: [{ name: "t", count: 3 }] });
  expect(() => changeModel(model, { tasks: new Map([["u", 3]]) })).toThrow('the model has no task "u", but t');
  expect(() => changeModel(model, { stacks: 1000 })).toThrow("there can be 0 to 255 stacks, not 1000");
});
