import { describe, expect, it } from "vitest";
import type { Kernel, StackRange } from "../kernel/kernel.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { STACK_HIGH, STACK_LOW, TASK, tinyKernel } from "../testing/tiny-kernel.ts";
import { UnwindContext } from "../unwind/unwind-context.ts";
import type { CrashFacts } from "./facts.ts";
import { findPastOverflow } from "./past-overflow.ts";

const FUNCTIONS = [
  // sub $0x88,%rsp; call itself at +7, returns to +12; add; ret
  { name: "walk", code: "4881ec88000000 e8f4ffffff 4881c488000000 c3" },
  // push %rbp; mov %rsp,%rbp; sub $0x1000,%rsp; call fill at +11, returns to +16; leave; ret
  { name: "expand", code: "55 4889e5 4881ec00100000 e802000000 c9 c3" },
  { name: "fill", code: "55 4889e5 5d c3" },
  // sub $0x10,%rsp; call table at +4, returns to +9; add; ret
  { name: "lookup", code: "4883ec10 e813000000 4883c410 c3" },
  // sub $0x10,%rsp; call lookup at +4, returns to +9; add; ret
  { name: "index", code: "4883ec10 e8e9ffffff 4883c410 c3" },
  { name: "table", code: "4881ec00080000 90 4881c400080000 c3" },
];
/** The stack; below it lies other memory. */
const LOW = STACK_LOW + 0x2000n;

function find(words: Readonly<Record<string, bigint>>, options: { inside?: boolean; guard?: boolean } = {}) {
  const stack: StackRange = {
    kind: "task",
    name: "",
    cpu: null,
    task: TASK,
    low: LOW,
    high: STACK_HIGH,
    guardBelow: options.guard ?? false,
  };
  const tiny = tinyKernel({ functions: FUNCTIONS, stack: words });
  const stackAt = (address: bigint) => (address >= LOW && address < STACK_HIGH ? { stack, guard: false } : null);
  const kernel = { ...tiny.kernel, stackAt, memory: withHoles(tiny.kernel.memory) } as Kernel;
  const past = findPastOverflow(
    { kernel, context: new UnwindContext(kernel) } as CrashFacts,
    stack,
    options.inside ?? false,
  );
  return past === null ? null : { chain: past.frames.map((frame) => frame.function), crossing: past.crossing };
}

/** Zeros around the stack's memory, as a dump gives them for what it lacks. */
function withHoles(memory: AddressSpace): AddressSpace {
  const readSparse = (start: bigint, length: number) => {
    const bytes = new Uint8Array(length);
    const from = start < STACK_LOW ? STACK_LOW : start;
    const end = start + BigInt(length) > STACK_HIGH ? STACK_HIGH : start + BigInt(length);
    const there = end > from ? memory.read(from, Number(end - from)) : null;
    if (there !== null) bytes.set(there, Number(from - start));
    return { bytes, faults: [] };
  };
  return Object.assign(memory, { readSparse });
}

const { at } = tinyKernel({ functions: FUNCTIONS });
/** Return addresses of `count` turns of walk, each 0x90 bytes above the one before. */
const turns = (lowest: bigint, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [(lowest + BigInt(n * 0x90)).toString(), at("walk", 12)]));

describe("return addresses of calls that are over", () => {
  it("follow each other across the stack's low end", () => {
    expect(find(turns(LOW - 0x100n, 4))).toEqual({ chain: ["walk", "walk", "walk", "walk"], crossing: 1 });
  });

  it("are told from those of another stack, which ends below", () => {
    expect(find(turns(LOW - 0x400n, 4))).toBeNull();
  });

  it("tell nothing where a guard page lies below the stack", () => {
    expect(find(turns(LOW - 0x100n, 4), { guard: true })).toBeNull();
  });

  it("are not one word alone", () => {
    expect(find(turns(LOW - 0x40n, 1))).toBeNull();
  });

  it("may be one alone with the caller's RBP below it, as code with frame pointers leaves it", () => {
    const slot = LOW - 0x800n;
    const cfa = slot + 8n + 0x1010n;
    const alone = { [slot.toString()]: at("expand", 16) };
    expect(find(alone)).toBeNull();
    expect(find({ ...alone, [(slot - 8n).toString()]: cfa - 16n })).toEqual({ chain: ["expand"], crossing: 0 });
    expect(find({ ...alone, [(slot - 8n).toString()]: cfa - 8n })).toBeNull();
  });

  it("lie on the stack where only the last callee's locals did not fit", () => {
    // table's locals need 0x800 bytes, and lookup stands 0x300 above the low end.
    const slot = LOW + 0x300n;
    const words = { [slot.toString()]: at("lookup", 9), [(slot + 0x18n).toString()]: at("index", 9) };
    expect(find(words)).toBeNull();
    expect(find(words, { inside: true })).toEqual({ chain: ["lookup", "index"], crossing: 0 });
    const higher = { [(slot + 0x800n).toString()]: at("lookup", 9), [(slot + 0x818n).toString()]: at("index", 9) };
    expect(find(higher, { inside: true })).toBeNull();
  });
});
