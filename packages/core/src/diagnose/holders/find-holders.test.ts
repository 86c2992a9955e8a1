import { describe, expect, it } from "vitest";
import type { StackRange } from "../../kernel/kernel.ts";
import {
  STACK_HIGH,
  STACK_LOW,
  TEXT,
  type TinyData,
  type TinyFunction,
  tinyKernel,
} from "../../testing/tiny-kernel.ts";
import { findHolders } from "./find-holders.ts";
import { CALLBACK_LAYOUTS, typesOf } from "./holders.fixture.ts";

const OBJECT = 0xffffffffc0000000n;
const BEHIND = 0xffffffffc0000100n;
const LOW = STACK_HIGH - 0x400n;
const HIGH = LOW + 0x100n;
const POINTER = LOW + 0x20n;
const POISON = 0xdead000000000122n;
const OWN = { low: STACK_LOW, high: STACK_HIGH } as StackRange;

/** mov 0x30(%rdi),%rax; mov %rsi,(%rax); ret */
const WRITER: TinyFunction = { name: "writer", code: "488b4730 488930 c3", module: "driver" };
/** ret */
const IDLE: TinyFunction = { name: "idle", code: "c3", module: "driver" };
/** mov 0xffffffffc0000100,%rax; movq $0,8(%rax); ret */
const NAMES_IT: TinyFunction = { name: "late", code: "488b0425000100c0 48c7400800000000 c3", module: "driver" };

function find(data: readonly TinyData[], functions: readonly TinyFunction[] = [WRITER, IDLE]) {
  const { kernel } = tinyKernel({ functions, data, types: typesOf(CALLBACK_LAYOUTS) });
  return findHolders(kernel, LOW, HIGH, OWN);
}

const timer = (callback: bigint): TinyData => ({
  name: "request",
  address: OBJECT,
  module: "driver",
  words: [POISON, 0n, 5n, callback, 0n, 0n, POINTER, 0n],
});

describe("holders of pointers into a stack", () => {
  it("are named with the code that stores through them: a timer's callback", () => {
    const { holders } = find([timer(TEXT)]);
    expect(holders).toHaveLength(1);
    expect(holders[0]).toMatchObject({
      address: OBJECT + 0x30n,
      value: POINTER,
      place: { kind: "module-data", text: "request+48 [driver]", object: { low: OBJECT } },
      writer: {
        certainty: "stores",
        function: { name: "writer" },
        how: "the callback of a timer there",
        at: TEXT + 4n,
      },
    });
  });

  it("are named with a timer's callback that is not seen to store, but with less", () => {
    const idle = TEXT + BigInt(WRITER.code.replace(/ /g, "").length / 2);
    expect(find([timer(idle)]).holders[0]!.writer).toMatchObject({ certainty: "near", function: { name: "idle" } });
  });

  it("are named with a function of the module that names the variable and stores through it", () => {
    const late: TinyData = { name: "current_request", address: BEHIND, module: "driver", words: [POINTER] };
    const { holders } = find([late], [IDLE, NAMES_IT]);
    expect(holders[0]).toMatchObject({
      place: { text: "current_request [driver]" },
      writer: { certainty: "stores", function: { name: "late" }, how: "a function of its module" },
    });
  });

  it("may have no code that is known", () => {
    const late: TinyData = { name: "list", address: BEHIND, module: "driver", words: [0n, POINTER] };
    expect(find([late]).holders[0]!.writer).toBeNull();
  });

  it("are not looked for on the stack itself, nor are pointers to other places of it", () => {
    const { kernel } = tinyKernel({
      functions: [WRITER],
      stack: { [(STACK_HIGH - 16n).toString()]: POINTER },
      data: [{ name: "elsewhere", address: OBJECT, module: "driver", words: [LOW - 8n, HIGH] }],
    });
    expect(findHolders(kernel, LOW, HIGH, OWN).holders).toEqual([]);
  });

  it("are CPUs, too, that have it in a register", () => {
    const { kernel } = tinyKernel({ functions: [WRITER] });
    const registers = { rip: TEXT + 4n, rax: POINTER, rsp: POINTER };
    const other = { number: 1, online: true, perCpuOffset: 0n, currentTask: null, registers };
    Object.assign(kernel, { cpus: [{ ...other, number: 0 }, other] });
    const { holders } = findHolders(kernel, LOW, HIGH, OWN);
    expect(holders).toHaveLength(1);
    expect(holders[0]).toMatchObject({ address: null, place: { text: "RAX of CPU 1, in writer" } });
  });

  it("say what was not searched", () => {
    expect(find([]).leftOut.join()).toContain("slab memory");
  });
});
