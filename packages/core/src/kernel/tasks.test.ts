import { describe, expect, it } from "vitest";
import type { TypeProvider } from "../types/type-provider.ts";
import { fakeContext, fakeTypes } from "./context.fixture.ts";
import type { KernelCpu } from "./cpus.ts";
import { FakeMemory } from "./memory.fixture.ts";
import { PerCpu } from "./percpu.ts";
import { switchOffsetsFrom } from "./switch-to.ts";
import { stateLetters } from "./task-state.ts";
import { TaskReader } from "./tasks.ts";

const HEAP = 0xffff888000000000n;
const IMAGE = 0xffffffff82000000n;
const INIT_TASK = IMAGE + 0x1000n;
const INIT_STACK = IMAGE + 0x8000n;
const CODE = IMAGE + 0x100n;
const STACK_END_MAGIC = 0x57ac6e9dn;

/** Places in this made-up task_struct. */
const AT = {
  state: 24,
  stack: 32,
  flags: 44,
  tasks: 0x100,
  mm: 0x118,
  exit: 0x120,
  pid: 0x128,
  tgid: 0x12c,
  canary: 0x130,
  parent: 0x138,
  node: 0x148,
  comm: 0x160,
  signal: 0x180,
  sp: 0x400,
};
const TYPES = fakeTypes({
  "task_struct.pid": [AT.pid, 4],
  "task_struct.tgid": [AT.tgid, 4],
  "task_struct.comm": [AT.comm, 16],
  "task_struct.stack": [AT.stack, 8],
  "task_struct.tasks": [AT.tasks, 16],
  "task_struct.__state": [AT.state, 4],
  "task_struct.exit_state": [AT.exit, 4],
  "task_struct.flags": [AT.flags, 4],
  "task_struct.mm": [AT.mm, 8],
  "task_struct.parent": [AT.parent, 8],
  "task_struct.stack_canary": [AT.canary, 8],
  "task_struct.thread.sp": [AT.sp, 8],
  "task_struct.signal": [AT.signal, 8],
  "task_struct.thread_node": [AT.node, 16],
  "signal_struct.thread_head": [16, 16],
});

/** __switch_to_asm up to where the canary is stored, with this struct's offsets. */
const SWITCH = [
  0x55, 0x53, 0x48, 0x89, 0xa7, 0, 4, 0, 0, 0x48, 0x8b, 0xa6, 0, 4, 0, 0, 0x48, 0x8b, 0x9e, 0x30, 1, 0, 0,
];

const taskAt = (n: number) => HEAP + BigInt(n * 0x2000);
const stackAt = (n: number) => HEAP + 0x100000n + BigInt(n * 0x4000);

/** init_task, then tasks 1 (init), 2 (kthreadd, 0x200000 flag) and a thread of init with pid 30. */
function machine(types: TypeProvider | null = TYPES) {
  const memory = new FakeMemory();
  memory.map(IMAGE, 0xc000);
  memory.map(HEAP, 0x200000);
  memory.write(CODE, Uint8Array.from(SWITCH));
  const put = (task: bigint, pid: number, tgid: number, comm: string, stack: bigint, state = 1, flags = 0) => {
    memory.write32(task + BigInt(AT.pid), pid);
    memory.write32(task + BigInt(AT.tgid), tgid);
    memory.writeText(task + BigInt(AT.comm), `${comm}\0`);
    memory.write64(task + BigInt(AT.stack), stack);
    memory.write32(task + BigInt(AT.state), state);
    memory.write32(task + BigInt(AT.flags), flags);
    memory.write64(task + BigInt(AT.sp), stack + 0x3f00n);
    memory.write64(task + BigInt(AT.canary), BigInt(pid) << 8n);
    memory.write64(stack, STACK_END_MAGIC);
  };
  put(INIT_TASK, 0, 0, "swapper/0", INIT_STACK, 0, 0x200000);
  put(taskAt(1), 1, 1, "init", stackAt(1));
  put(taskAt(2), 2, 2, "kthreadd", stackAt(2), 0x402, 0x200000);
  put(taskAt(3), 30, 1, "worker", stackAt(3), 0);
  const ring = (links: readonly bigint[]) => {
    links.forEach((link, i) => {
      memory.write64(link, links[(i + 1) % links.length]!);
      memory.write64(links[(i + 1) % links.length]! + 8n, link);
    });
  };
  ring([INIT_TASK, taskAt(1), taskAt(2)].map((t) => t + BigInt(AT.tasks)));
  const signal = HEAP + 0x80000n;
  memory.write64(taskAt(1) + BigInt(AT.signal), signal);
  ring([signal + 16n, taskAt(1) + BigInt(AT.node), taskAt(3) + BigInt(AT.node)]);
  const symbols = { init_task: INIT_TASK, init_stack: INIT_STACK, __switch_to_asm: CODE };
  const context = fakeContext({ memory, symbols, ...(types ? { types } : {}) });
  const cpus: KernelCpu[] = [{ number: 0, online: true, perCpuOffset: 0n, currentTask: taskAt(1) }];
  const reader = new TaskReader(context, new PerCpu(context), () => cpus);
  return { memory, context, reader, ring };
}

const summary = (reader: TaskReader) => reader.all().map((t) => `${t.pid}/${t.tgid} ${t.comm} ${t.state}`);

describe("TaskReader", () => {
  it("lists the idle task, every process, and threads behind their leader", () => {
    const { reader } = machine();
    expect(summary(reader)).toEqual(["0/0 swapper/0 RU", "1/1 init IN", "30/1 worker RU", "2/2 kthreadd ID"]);
  });

  it("reads what a task holds", () => {
    const { reader } = machine();
    expect(reader.task(taskAt(1))).toMatchObject({
      running: true,
      cpu: 0,
      kernelThread: false,
      stack: stackAt(1),
      savedSp: stackAt(1) + 0x3f00n,
      canary: 0x100n,
      mm: null,
    });
    expect(reader.task(taskAt(2))).toMatchObject({ running: false, kernelThread: true });
  });

  it.each([
    ["an unmapped address", 0xffffc90000000000n],
    ["a user address", 0x400000n],
    ["an odd address", taskAt(1) + 1n],
    ["memory that is no task", HEAP + 0x1c0000n + 0x8n],
  ])("takes no task from %s", (what, address) => {
    const { reader, memory } = machine();
    if (what.startsWith("memory")) memory.write32(address + BigInt(AT.pid), 0x7fffffff);
    expect(reader.task(address)).toBeNull();
  });

  it("walks backwards where the list breaks, and says so", () => {
    const { reader, memory, context } = machine();
    memory.write64(taskAt(1) + BigInt(AT.tasks), 0xffffc90000000000n);
    expect(summary(reader)).toContain("2/2 kthreadd ID");
    expect(context.problems.join()).toContain("the list of processes");
  });

  it("ends on a list that runs in a circle without its head", () => {
    const { reader, ring, memory } = machine();
    ring([taskAt(1), taskAt(2)].map((t) => t + BigInt(AT.tasks)));
    memory.write64(INIT_TASK + BigInt(AT.tasks), taskAt(1) + BigInt(AT.tasks));
    expect(reader.all().length).toBeLessThanOrEqual(4);
  });

  it("finds the layout by content where there are no types", () => {
    const { reader } = machine(null);
    expect(reader.layout).toMatchObject({
      source: "content",
      pid: AT.pid,
      tgid: AT.tgid,
      comm: AT.comm,
      stack: AT.stack,
      state: AT.state,
      tasks: AT.tasks,
      canary: AT.canary,
      threadSp: AT.sp,
    });
    expect(summary(reader)).toEqual(["0/0 swapper/0 RU", "1/1 init IN", "2/2 kthreadd ID"]);
  });
});

describe("a layout by content without the code of the task switch", () => {
  /** As a 4.4 has it: an inline switch, canaries of 32 bits, names that tell nothing. */
  const PLACES = { stack: 8, tasks: 0x240, mm: 0x290, pid: 0x334, canary: 0x340, comm: 0x540, sp: 0x820 };
  const COUNT = 6;

  function old(change: (memory: FakeMemory, task: (n: number) => bigint) => void = () => {}) {
    const memory = new FakeMemory();
    memory.map(IMAGE, 0xc000);
    memory.map(HEAP, 0x200000);
    const task = (n: number) => (n === 0 ? INIT_TASK : taskAt(n));
    for (let n = 0; n <= COUNT; n++) {
      const stack = n === 0 ? INIT_STACK : stackAt(n);
      const put = (at: number, value: bigint) => memory.write64(task(n) + BigInt(at), value);
      put(PLACES.stack, stack);
      put(PLACES.sp, stack + 0x3e00n + BigInt(n * 8));
      put(PLACES.sp - 8, stack + 0x4000n);
      memory.write32(task(n) + BigInt(PLACES.pid), n);
      memory.write32(task(n) + BigInt(PLACES.pid + 4), n);
      put(PLACES.canary, n === 0 ? 0n : BigInt(0x9a31c205 + n * 0x1011));
      memory.writeText(task(n) + BigInt(PLACES.comm), `${n === 0 ? "swapper/0" : `task${n}`}\0`);
      const next = task(n === COUNT ? 0 : n + 1);
      put(PLACES.tasks, next + BigInt(PLACES.tasks));
      memory.write64(next + BigInt(PLACES.tasks + 8), task(n) + BigInt(PLACES.tasks));
      if (n === 1) for (const at of [0, 8]) put(PLACES.mm + at, HEAP + 0x1f0000n);
    }
    change(memory, task);
    const context = fakeContext({ memory, symbols: { init_task: INIT_TASK, init_stack: INIT_STACK } });
    return new TaskReader(context, new PerCpu(context), () => []);
  }

  it("finds the list, the numbers, the canary, the saved RSP and the memory", () => {
    const reader = old();
    const { stack, tasks, mm, pid, canary, comm, sp } = PLACES;
    expect(reader.layout).toMatchObject({ stack, tasks, mm, pid, tgid: pid + 4, canary, comm, threadSp: sp, state: 0 });
    expect(reader.all().map((one) => `${one.pid} ${one.comm} ${one.kernelThread}`)).toEqual([
      "0 swapper/0 true",
      "1 task1 false",
      ...[2, 3, 4, 5, 6].map((n) => `${n} task${n} true`),
    ]);
  });

  it("knows a kernel without stack protector", () => {
    const reader = old((memory, task) => {
      for (let n = 0; n <= COUNT; n++) memory.write64(task(n) + BigInt(PLACES.canary), task(0));
    });
    expect(reader.layout).toMatchObject({ pid: PLACES.pid, canary: null });
  });

  it("tells nothing where no list leads to tasks", () => {
    const reader = old((memory) => memory.write64(INIT_TASK + BigInt(PLACES.tasks), 0n));
    expect(reader.layout).toBeNull();
  });
});

describe("switchOffsetsFrom", () => {
  it("reads the saved SP and the canary from the code of the task switch", () => {
    expect(switchOffsetsFrom(Uint8Array.from(SWITCH))).toEqual({ threadSp: 0x400, canary: 0x130 });
  });
  it("knows a kernel without stack protector", () => {
    expect(switchOffsetsFrom(Uint8Array.from(SWITCH.slice(0, 16)))).toEqual({ threadSp: 0x400, canary: null });
  });
  it.each([
    ["other code", [0x90, 0x90, 0x90, 0x90]],
    ["a load from elsewhere than the save", [...SWITCH.slice(0, 12), 8, 4, 0, 0]],
  ])("is null for %s", (_what, code) => {
    expect(switchOffsetsFrom(Uint8Array.from(code))).toBeNull();
  });
});

describe("stateLetters", () => {
  it.each([
    [0, 0, "RU"],
    [0x1, 0, "IN"],
    [0x2, 0, "UN"],
    [0x102, 0, "UN"],
    [0x402, 0, "ID"],
    [0x4, 0, "ST"],
    [0x8, 0, "TR"],
    [0x40, 0, "PA"],
    [0x80, 0, "DE"],
    [0x200, 0, "WA"],
    [0x800, 0, "NE"],
    [0, 0x20, "ZO"],
    [0x80, 0x10, "DE"],
    [0x100000, 0, "??"],
  ])("%i with exit state %i is %s", (state, exit, letters) => {
    expect(stateLetters(state, exit)).toBe(letters);
  });
});
