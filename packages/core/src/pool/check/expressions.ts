/** Expressions: read, printed, turned into functions. */
import type { BinaryOperator, Expression, Place } from "./model.ts";
import { LIMITS } from "./model.ts";
import { badModel } from "./model-error.ts";
import { TokenReader, tokenize } from "./tokens.ts";

/** From the loosest to the tightest. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<=", ">=", "<", ">"],
  ["+", "-"],
  ["*"],
];

/**
 * Reads one expression where the reader stands.
 * @throws SpillwayError SPW_CHECK_BAD_MODEL
 */
export function readExpression(reader: TokenReader, depth = 0): Expression {
  return readLevel(reader, 0, depth);
}

function readLevel(reader: TokenReader, level: number, depth: number): Expression {
  const operators = LEVELS[level];
  if (operators === undefined) return readOperand(reader, depth);
  let left = readLevel(reader, level + 1, depth);
  for (let length = 0; ; length++) {
    const operator = operators.find((sign) => reader.is(sign));
    if (operator === undefined) return left;
    if (length === LIMITS.nesting) throw badModel(reader.token.at, "an expression that is too long");
    reader.take();
    left = { kind: operator, left, right: readLevel(reader, level + 1, depth) };
  }
}

function readOperand(reader: TokenReader, depth: number): Expression {
  const { token } = reader;
  if (depth > LIMITS.nesting) throw badModel(token.at, "an expression that is nested too deeply");
  if (reader.accept("!")) return { kind: "not", operand: readOperand(reader, depth + 1) };
  if (reader.accept("-")) return { kind: "negate", operand: readOperand(reader, depth + 1) };
  if (reader.accept("(")) {
    const inner = readExpression(reader, depth + 1);
    reader.expect(")");
    return inner;
  }
  if (token.kind === "number") return { kind: "number", value: reader.number("a number", 0, 1_000_000) };
  const name = reader.word("a name, a number or a parenthesis").text;
  if (!reader.accept(".")) return { kind: "name", name, at: token.at };
  return { kind: "name", name: `${name}.${reader.word('"done"').text}`, at: token.at };
}

/** Reads a text that is one expression; `at` names where it stands. */
export function parseExpression(text: string, at: Place): Expression {
  const reader = new TokenReader(tokenize(text, (_line, column) => `${at}, character ${column}`));
  const expression = readExpression(reader);
  if (reader.token.kind !== "end") throw reader.wrong("an operator or the end");
  return expression;
}

/** An expression as it is written, with the parentheses it needs. */
export function printExpression(expression: Expression, name = (text: string): string => text): string {
  switch (expression.kind) {
    case "number":
      return String(expression.value);
    case "name":
      return name(expression.name);
    case "not":
      return `!${printOperand(expression.operand, LEVELS.length, name)}`;
    case "negate":
      return `-${printOperand(expression.operand, LEVELS.length, name)}`;
    default: {
      const { kind, left, right } = expression;
      const level = levelOf(kind);
      return `${printOperand(left, level, name)} ${kind} ${printOperand(right, level + 1, name)}`;
    }
  }
}

function levelOf(operator: BinaryOperator): number {
  return LEVELS.findIndex((operators) => operators.includes(operator));
}

function printOperand(expression: Expression, level: number, name: (text: string) => string): string {
  const text = printExpression(expression, name);
  const binary = "left" in expression;
  return binary && levelOf(expression.kind) < level ? `(${text})` : text;
}

/** All names in an expression, with where they stand. */
export function namesIn(expression: Expression): { readonly name: string; readonly at: Place }[] {
  if (expression.kind === "name") return [expression];
  if (expression.kind === "number") return [];
  if ("operand" in expression) return namesIn(expression.operand);
  return [...namesIn(expression.left), ...namesIn(expression.right)];
}

/** The values an expression is evaluated over: one for each column. */
export type Values = Int32Array;
export type Evaluate = (values: Values) => number;

/**
 * An expression as a function of values.
 * @param columnOf where a name's value stands among them
 */
export function compileExpression(expression: Expression, columnOf: (name: string, at: Place) => number): Evaluate {
  switch (expression.kind) {
    case "number": {
      const { value } = expression;
      return () => value;
    }
    case "name": {
      const column = columnOf(expression.name, expression.at);
      return (values) => values[column]!;
    }
    case "not": {
      const operand = compileExpression(expression.operand, columnOf);
      return (values) => (operand(values) === 0 ? 1 : 0);
    }
    case "negate": {
      const operand = compileExpression(expression.operand, columnOf);
      return (values) => -operand(values);
    }
    default: {
      const left = compileExpression(expression.left, columnOf);
      const right = compileExpression(expression.right, columnOf);
      return BINARY[expression.kind](left, right);
    }
  }
}

const BINARY: Readonly<Record<BinaryOperator, (left: Evaluate, right: Evaluate) => Evaluate>> = {
  "||": (left, right) => (values) => (left(values) !== 0 || right(values) !== 0 ? 1 : 0),
  "&&": (left, right) => (values) => (left(values) !== 0 && right(values) !== 0 ? 1 : 0),
  "==": (left, right) => (values) => (left(values) === right(values) ? 1 : 0),
  "!=": (left, right) => (values) => (left(values) !== right(values) ? 1 : 0),
  "<=": (left, right) => (values) => (left(values) <= right(values) ? 1 : 0),
  ">=": (left, right) => (values) => (left(values) >= right(values) ? 1 : 0),
  "<": (left, right) => (values) => (left(values) < right(values) ? 1 : 0),
  ">": (left, right) => (values) => (left(values) > right(values) ? 1 : 0),
  "+": (left, right) => (values) => (left(values) + right(values)) | 0,
  "-": (left, right) => (values) => (left(values) - right(values)) | 0,
  "*": (left, right) => (values) => Math.imul(left(values), right(values)),
};
