/** Arbitrary small models, for holding two searches against each other. */
import fc from "fast-check";
import type { Expression, Model, Step } from "./model.ts";

const at = "";
const number = (value: number): Expression => ({ kind: "number", value });
const name = (text: string): Expression => ({ kind: "name", name: text, at });

const condition: fc.Arbitrary<Expression> = fc
  .tuple(fc.constantFrom("in_use", "v", "a", "free", "total"), fc.constantFrom("==", "<", ">", "!="), fc.nat(2))
  .map(([left, kind, right]) => ({ kind, left: name(left), right: number(right) }) as Expression);

/** One step, or one that is followed by the step that undoes it, so that most programs do not end at once with a fault. */
function stepsOf(depth: number): fc.Arbitrary<readonly Step[]> {
  const body = depth === 0 ? fc.constant<readonly Step[]>([]) : programOf(depth - 1, 2);
  const lock = fc.constantFrom("a", "b");
  const plain: fc.Arbitrary<readonly Step[]>[] = [
    fc.constant([{ kind: "step", at, text: null }]),
    fc
      .tuple(lock, body)
      .map(([of, inside]) => [{ kind: "lock", at, name: of }, ...inside, { kind: "unlock", at, name: of }]),
    fc
      .tuple(fc.constantFrom(1, 2), body)
      .map(([amount, inside]) => [
        { kind: "take", at, name: "pages", amount },
        ...inside,
        { kind: "give", at, name: "pages", amount },
      ]),
    fc
      .tuple(fc.constantFrom("eio", "sleep", null), body, body)
      .map(([policy, inside, otherwise]) => [{ kind: "enter", at, policy, body: inside, otherwise }]),
    fc.tuple(body).map(([inside]) => [{ kind: "work", at, name: "wq", body: inside }]),
    fc.tuple(body, body).map(([one, other]) => [{ kind: "choose", at, branches: [one, other] }]),
    fc
      .tuple(lock, body, body)
      .map(([of, inside, otherwise]) => [
        { kind: "trylock", at, name: of, body: [...inside, { kind: "unlock", at, name: of }], otherwise },
      ]),
    fc
      .tuple(condition, body, body)
      .map(([of, inside, otherwise]) => [{ kind: "if", at, condition: of, body: inside, otherwise }]),
    fc.nat(2).map((value) => [{ kind: "set", at, name: "v", value: number(value) }]),
    fc
      .tuple(fc.nat(3), fc.boolean())
      .map(([to, unchecked]) => [{ kind: "resize", at, to: number(to), unchecked, otherwise: [] }]),
    fc.tuple(fc.constantFrom(1, 2), body).map(([times, inside]) => [{ kind: "loop", at, times, body: inside }]),
  ];
  const faulty: fc.Arbitrary<readonly Step[]>[] = [
    lock.map((of) => [{ kind: "lock", at, name: of }]),
    lock.map((of) => [{ kind: "unlock", at, name: of }]),
    condition.map((of) => [{ kind: "await", at, condition: of }]),
    condition.map((of) => [{ kind: "assert", at, condition: of }]),
    fc.constant([{ kind: "fail", at }]),
  ];
  return fc.oneof({ weight: 12, arbitrary: fc.oneof(...plain) }, { weight: 1, arbitrary: fc.oneof(...faulty) });
}

function programOf(depth: number, most: number): fc.Arbitrary<readonly Step[]> {
  return fc.array(stepsOf(depth), { maxLength: most }).map((lists) => lists.flat());
}

function classOf(of: string): fc.Arbitrary<Model["tasks"][number]> {
  return fc
    .tuple(fc.constantFrom(1, 2, 2, 3), programOf(2, 2), fc.boolean())
    .filter(([count, steps]) => steps.length > 0 && JSON.stringify(steps).length < (count > 2 ? 250 : 500))
    .map(([count, steps, forever]) => ({
      name: of,
      count,
      at,
      // A step of its own, so that no turn of the loop takes none.
      steps: numbered(
        forever ? [{ kind: "loop", at, times: null, body: [{ kind: "step", at, text: null }, ...steps] }] : steps,
      ),
    }));
}

/** Gives every step a place of its own, by which a state tells where a task stands. */
function numbered(steps: readonly Step[]): readonly Step[] {
  let places = 0;
  return JSON.parse(JSON.stringify(steps), (key, value: unknown) => (key === "at" ? String(++places) : value));
}

export const anyModel: fc.Arbitrary<Model> = fc
  .record({ stacks: fc.nat(2), policy: fc.constantFrom("eio", "sleep"), first: classOf("one"), second: classOf("two") })
  .map(({ stacks, policy, first, second }) => ({
    stacks,
    policy,
    locks: [
      { name: "a", at },
      { name: "b", at },
    ],
    workers: [{ name: "wq", count: 1, at }],
    resources: [{ name: "pages", count: 2, at }],
    variables: [{ name: "v", count: 0, at }],
    tasks: [first, second],
    properties: [],
  }));
