/** Who an indirect call reaches, in small programs with known answers. */
import { describe, expect, test } from "vitest";
import { gccDeclared } from "../../debuginfo/testing/gcc-program.fixture.ts";
import type { Program } from "../../program/program.ts";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import { EmptyTypes } from "../../types/empty-types.ts";
import type { TypeProvider } from "../../types/type-provider.ts";
import { buildCallGraph } from "../build-call-graph.ts";
import { SITE_KINDS } from "../call-graph.ts";
import { type Listing, tinyProgram } from "../tiny-program.fixture.ts";
import { IndirectCalls } from "./indirect-calls.ts";

/**
 * struct file { const struct ops *ops; void *private; struct work work; };
 * struct ops { int (*open)(struct file *); int (*close)(struct file *); };
 * struct work { struct work *next; void (*run)(struct work *); };
 * struct task { void (*run)(struct task *); struct inner { void *data; } inner; };
 *
 * and the functions of `prototypes`, by name and prototype.
 */
function types(
  prototypes: Readonly<Record<string, "file" | "work" | "ops" | "callback" | "data" | "none" | "task" | "inner">>,
): TypeProvider {
  const btf = new BtfBuilder();
  const int = btf.int("int", 4, true);
  const [file, ops, work] = [btf.nextId, btf.nextId + 1, btf.nextId + 2];
  const [toFile, toOps, toWork] = [btf.nextId + 3, btf.nextId + 4, btf.nextId + 5];
  const [fileProto, workProto] = [btf.nextId + 6, btf.nextId + 7];
  const [toFileProto, toWorkProto, toVoid] = [btf.nextId + 8, btf.nextId + 9, btf.nextId + 10];
  const bits = (bytes: number) => bytes * 8;
  btf.struct("file", 32, [
    ["ops", toOps, bits(0)],
    ["private", toVoid, bits(8)],
    ["work", work, bits(16)],
  ]);
  btf.struct("ops", 16, [
    ["open", toFileProto, bits(0)],
    ["close", toFileProto, bits(8)],
  ]);
  btf.struct("work", 16, [
    ["next", toWork, bits(0)],
    ["run", toWorkProto, bits(8)],
  ]);
  for (const target of [file, ops, work]) btf.add("", 2, target);
  btf.add("", 13, int, [btf.name("file"), toFile], 1);
  btf.add("", 13, 0, [btf.name("work"), toWork], 1);
  for (const target of [fileProto, workProto, 0]) btf.add("", 2, target);
  const opsProto = btf.add("", 13, int, [btf.name("ops"), toOps], 1);
  const callbackProto = btf.add("", 13, int, [btf.name("fn"), toFileProto, btf.name("file"), toFile], 2);
  const none = btf.add("", 13, 0, [], 0);
  const data = btf.add("", 13, int, [btf.name("data"), toVoid], 1);
  const [task, inner, toTask, toInner] = [btf.nextId, btf.nextId + 1, btf.nextId + 2, btf.nextId + 3];
  const [taskProto, toTaskProto] = [btf.nextId + 4, btf.nextId + 5];
  btf.struct("task", 16, [
    ["run", toTaskProto, bits(0)],
    ["inner", inner, bits(8)],
  ]);
  btf.struct("inner", 8, [["data", toVoid, bits(0)]]);
  for (const target of [task, inner]) btf.add("", 2, target);
  btf.add("", 13, 0, [btf.name("task"), toTask], 1);
  btf.add("", 2, taskProto);
  const innerProto = btf.add("", 13, 0, [btf.name("inner"), toInner], 1);
  const numbers = {
    file: fileProto,
    work: workProto,
    ops: opsProto,
    callback: callbackProto,
    data,
    none,
    task: taskProto,
    inner: innerProto,
  };
  for (const [name, prototype] of Object.entries(prototypes)) btf.add(name, 12, numbers[prototype]);
  return openBtf(btf.bytes());
}

interface Example {
  readonly what: string;
  readonly functions: Readonly<Record<string, Listing>>;
  readonly data?: Readonly<Record<string, readonly string[]>>;
  /** Null: a kernel without type information. */
  readonly prototypes: Parameters<typeof types>[0] | null;
  /** Of the indirect site in `f`: the label of each set, and the names in it; null where there is none. */
  readonly typed: readonly [label: string, ...names: string[]] | null;
  readonly assumed: readonly [label: string, ...names: string[]] | null;
  /** The function with the site, where it is not `f`. */
  readonly caller?: string;
  /** A jump label: the instruction that may jump, and where to. */
  readonly label?: readonly [from: string, to: string];
  /** The program is the one of debuginfo/testing/gcc-program.fixture.ts, and its debug information is there. */
  readonly debugInfo?: true;
  /** The functions in order, and whether unwind data say that calls enter them; or how deep the stack is at a place within. */
  readonly entered?: Readonly<Record<string, boolean | number>>;
  /** The data are zero at first: no part of the file. */
  readonly zeroed?: true;
}

const RETURN = "c3  ret";

const LABELS = 0xffffffff82800000n;

/** With a table of one jump label: distances of its instruction and its target from where they are written. */
function withLabel(memory: Program["memory"], from: bigint, to: bigint): Program["memory"] {
  const table = Int32Array.of(Number(from - LABELS), Number(to - LABELS) - 4, 0, 0);
  return Object.create(memory, {
    read: {
      value: (address: bigint, bytes: number) =>
        address === LABELS ? new Uint8Array(table.buffer) : memory.read(address, bytes),
    },
    readSparse: { value: memory.readSparse.bind(memory) },
  });
}

/** The program with its data as symbols, and with types. */
function programOf({ functions, data = {}, prototypes, label, zeroed, entered }: Example): Program {
  const orc = Object.entries(entered ?? {}).map(([name, byCall]) =>
    byCall
      ? ({ at: name, sp: "sp", offset: byCall === true ? 8 : byCall } as const)
      : ({ at: name, sp: "undefined", offset: 0, type: "end" } as const),
  );
  const { program, at } = tinyProgram({ functions, data, ...(entered === undefined ? {} : { orc }) });
  const names = Object.keys(data);
  const start = names.length === 0 ? 0n : at(names[0]!);
  const length = Object.values(data).reduce((sum, words) => sum + words.length * 8, 0);
  const symbols = names.map((name) => ({ name, address: at(name), type: "d", module: null }));
  const edges: Record<string, bigint> = {
    ...(zeroed === true ? { __bss_start: start, __bss_stop: start + BigInt(length) } : {}),
    ...(label === undefined ? {} : { __start___jump_table: LABELS, __stop___jump_table: LABELS + 16n }),
  };
  return {
    ...program,
    memory: label === undefined ? program.memory : withLabel(program.memory, at(label[0]), at(label[1])),
    symbols: {
      ...program.symbols,
      byName: (name, module) =>
        name in edges ? { name, address: edges[name]!, type: "D", module: null } : program.symbols.byName(name, module),
      all: () => [...program.symbols.all(), ...symbols],
      byAddress: (address) => {
        const symbol = symbols.findLast((one) => one.address <= address);
        return symbol === undefined
          ? program.symbols.byAddress(address)
          : { symbol, offset: Number(address - symbol.address) };
      },
    },
    types: prototypes === null ? EmptyTypes : types(prototypes),
    data:
      names.length === 0 || zeroed === true
        ? []
        : [{ start, end: start + BigInt(length), module: null, section: ".data", init: false }],
  };
}

function check(example: Example): void {
  test(example.what, () => {
    const graph = buildCallGraph(programOf(example), {
      indirect: (program, table) =>
        new IndirectCalls(program, table, example.debugInfo === true ? gccDeclared() : null),
    });
    const { functions, sites, sets } = graph;
    const caller = functions.name.indexOf(example.caller ?? "f");
    const site = sites.kind.findIndex(
      (kind, n) => sites.caller[n] === caller && SITE_KINDS[kind]!.startsWith("indirect"),
    );
    const shown = (set: number) => {
      if (set < 0) return null;
      const members = [...sets.members.subarray(sets.start[set], sets.start[set + 1])];
      return [sets.label[set], ...members.map((member) => functions.name[member]!).sort()];
    };
    expect({ typed: shown(sites.typedSet[site]!), assumed: shown(sites.assumedSet[site]!) }).toEqual({
      typed: example.typed,
      assumed: example.assumed,
    });
  });
}

const FILE = "int (struct file *file)";

describe("through a member of a known struct", () => {
  const examples: Example[] = [
    {
      what: "what static tables of its type hold: their type is that of the parameter that they are passed to",
      functions: {
        f: `48 8b 07        mov (%rdi),%rax
            ff 50 08        callq *0x8(%rax)
            c3              ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               48 c7 c7 {=two}  mov $two,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
        open2: RETURN,
        close2: RETURN,
        helper: RETURN,
        user: `e8 {helper}  call helper
               c3           ret`,
      },
      data: { one: ["open1", "close1"], two: ["open2", "close2"] },
      prototypes: {
        f: "file",
        register: "ops",
        open1: "file",
        close1: "file",
        open2: "file",
        close2: "file",
        helper: "file",
        init: "none",
      },
      typed: ["ops.close", "close1", "close2"],
      // Functions that are only called directly (helper) are not among them; f itself nobody refers to.
      assumed: [FILE, "close1", "close2", "f", "open1", "open2"],
    },
    {
      what: "also behind a return and its padding, through which nothing comes",
      functions: {
        f: `48 85 f6        test %rsi,%rsi
            74 05           je f+10
            31 c0           xor %eax,%eax
            c3              ret
            cc              int3
            90              nop
            48 8b 07        mov (%rdi),%rax
            ff 50 08        callq *0x8(%rax)
            c3              ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      what: "never the first byte of the image: whoever names it wants the place",
      functions: {
        f: `48 8b 07        mov (%rdi),%rax
            ff 50 08        callq *0x8(%rax)
            c3              ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               48 c7 c7 {=two}  mov $two,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
        _text: RETURN,
      },
      data: { one: ["open1", "close1"], two: ["open1", "_text"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      what: "what a table holds that no code names, but whose pointers stand where the struct has members for them",
      functions: {
        f: `48 8b 07        mov (%rdi),%rax
            ff 50 08        callq *0x8(%rax)
            c3              ret`,
        open1: RETURN,
        close1: RETURN,
        run1: RETURN,
        __SCT__hook: RETURN,
      },
      // A function of another prototype, and a trampoline that is only patched, are no callees.
      data: { one: ["open1", "close1"], two: ["run1"], three: ["__SCT__hook"] },
      prototypes: { f: "file", open1: "file", close1: "file", run1: "work" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      // Two static functions of one name, of which one is inlined wherever it is called: its record is left.
      what: "what a table of its type holds, even if the function's record is of another prototype",
      functions: {
        f: `48 8b 07        mov (%rdi),%rax
            ff 50 08        callq *0x8(%rax)
            c3              ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "work", init: "none" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      what: "unless nothing else in the table fits",
      functions: {
        f: `48 8b 07        mov (%rdi),%rax
            ff 50 08        callq *0x8(%rax)
            c3              ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "work", close1: "work", init: "none" },
      typed: null,
      assumed: [FILE, "f"],
    },
    {
      what: "what code stores in it, even for an object inside of another",
      functions: {
        f: `48 8b 47 08     mov 0x8(%rdi),%rax
            ff e0           jmp *%rax`,
        setup: `48 c7 47 18 {=handler}  movq $handler,0x18(%rdi)
                c3                      ret`,
        handler: RETURN,
        other: RETURN,
        keep: `48 c7 c0 {=other}  mov $other,%rax
               c3                 ret`,
      },
      prototypes: { f: "work", setup: "file", handler: "work", other: "work", keep: "none" },
      typed: ["work.run", "handler"],
      assumed: ["void (struct work *work)", "f", "handler", "other"],
    },
    {
      what: "what is stored through a pointer of no known type, by code whose type is not known either",
      functions: {
        f: `48 8b 07  mov (%rdi),%rax
            ff 50 08  callq *0x8(%rax)
            c3        ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
        trace: `48 c7 47 08 {=from_return}  movq $from_return,0x8(%rdi)
                c3                          ret`,
        from_return: RETURN,
      },
      entered: { f: true, from_return: true },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1", "from_return"],
      assumed: [FILE, "close1", "f", "from_return", "open1"],
    },
    {
      what: "not a label that no call enters (return_to_handler is stored in place of a return address)",
      functions: {
        f: `48 8b 07  mov (%rdi),%rax
            ff 50 08  callq *0x8(%rax)
            c3        ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
        trace: `48 c7 47 08 {=from_return}  movq $from_return,0x8(%rdi)
                c3                          ret`,
        from_return: RETURN,
      },
      entered: { f: true, from_return: false },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      what: "not a label that returns lead to, which is as deep behind its first push as a function at its start",
      functions: {
        f: `48 8b 07  mov (%rdi),%rax
            ff 50 08  callq *0x8(%rax)
            c3        ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
        trace: `48 c7 47 08 {=from_return}  movq $from_return,0x8(%rdi)
                c3                          ret`,
        from_return: `53  push %rbx
                      5b  pop %rbx
                      c3  ret`,
      },
      entered: { f: true, from_return: true },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      what: "but a function of unknown type that begins with a push",
      functions: {
        f: `48 8b 07  mov (%rdi),%rax
            ff 50 08  callq *0x8(%rax)
            c3        ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
        trace: `48 c7 47 08 {=from_return}  movq $from_return,0x8(%rdi)
                c3                          ret`,
        from_return: `53  push %rbx
                      5b  pop %rbx
                      c3  ret`,
      },
      entered: { f: true, from_return: true, "from_return+1": 16 },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1", "from_return"],
      assumed: [FILE, "close1", "f", "from_return", "open1"],
    },
    {
      what: "of a struct that holds the one at hand (container_of)",
      functions: {
        f: `48 8b 47 f0     mov -0x10(%rdi),%rax
            ff 10           callq *(%rax)
            c3              ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: RETURN,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "work", register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.open", "open1"],
      assumed: [FILE, "close1", "open1"],
    },
    {
      what: "in a struct that holds the one at hand, whatever else may be in it",
      functions: {
        f: `48 8b 47 f8     mov -0x8(%rdi),%rax
            ff d0           call *%rax
            c3              ret`,
        init: `48 89 37           mov %rsi,(%rdi)
               48 c7 07 {=run1}   movq $run1,(%rdi)
               c3                 ret`,
        run1: RETURN,
        other: RETURN,
        keep: `48 c7 c0 {=other}  mov $other,%rax
               c3                 ret`,
      },
      prototypes: { f: "inner", init: "task", run1: "task", other: "task", keep: "none" },
      typed: ["task.run", "run1"],
      assumed: ["void (struct task *task)", "init", "other", "run1"],
    },
    {
      what: "of a value of no type that is used as one of a known type",
      functions: {
        f: `53              push %rbx
            e8 {make}       call make
            48 89 c3        mov %rax,%rbx
            48 89 c7        mov %rax,%rdi
            e8 {register}   call register
            48 89 df        mov %rbx,%rdi
            ff 53 08        callq *0x8(%rbx)
            5b              pop %rbx
            c3              ret`,
        make: RETURN,
        register: RETURN,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      prototypes: { register: "ops", open1: "file", close1: "file", init: "none" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "open1"],
    },
    {
      what: "of an element, by an index to which the pointer in memory is added",
      functions: {
        f: `48 89 f0  mov %rsi,%rax
            48 03 07  add (%rdi),%rax
            ff 50 08  callq *0x8(%rax)
            c3        ret`,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      prototypes: { f: "file", open1: "file", close1: "file" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
    {
      what: "of a struct on the stack that a callee was given to fill",
      functions: {
        f: `48 83 ec 18                 sub $0x18,%rsp
            48 c7 44 24 08 00 00 00 00  movq $0x0,0x8(%rsp)
            48 8d 3c 24                 lea (%rsp),%rdi
            e8 {fill}                   call fill
            48 8b 44 24 08              mov 0x8(%rsp),%rax
            ff d0                       call *%rax
            48 83 c4 18                 add $0x18,%rsp
            c3                          ret`,
        fill: `48 c7 47 08 {=handler}  movq $handler,0x8(%rdi)
               c3                      ret`,
        handler: RETURN,
      },
      prototypes: { f: "none", fill: "work", handler: "work" },
      typed: ["work.run", "handler"],
      assumed: ["void (struct work *work)", "handler"],
    },
    {
      what: "in code that only a jump label leads to: registers are as at the label",
      functions: {
        f: `48 8b 1f        mov (%rdi),%rbx
            0f 1f 44 00 00  nopl 0x0(%rax,%rax,1)
            c3              ret
            48 8b 43 08     mov 0x8(%rbx),%rax
            ff d0           call *%rax
            c3              ret`,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      label: ["f+3", "f+9"],
      prototypes: { f: "file", open1: "file", close1: "file" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "f", "open1"],
    },
  ];
  for (const example of examples) check(example);
});

describe("through other pointers", () => {
  const examples: Example[] = [
    {
      what: "a parameter: what callers pass",
      functions: {
        f: `48 89 f8   mov %rdi,%rax
            48 89 f7   mov %rsi,%rdi
            ff d0      call *%rax
            c3         ret`,
        caller: `48 89 fe           mov %rdi,%rsi
                 48 c7 c7 {=given}  mov $given,%rdi
                 e8 {f}             call f
                 c3                 ret`,
        given: RETURN,
        other: RETURN,
        keep: `48 c7 c0 {=other}  mov $other,%rax
               c3                 ret`,
      },
      prototypes: { f: "callback", caller: "file", given: "file", other: "file", keep: "none" },
      typed: ["argument 1 of f", "given"],
      assumed: [FILE, "caller", "given", "other"],
    },
    {
      what: "a global variable: what it holds at first, and what is stored in it",
      functions: {
        f: `48 8b 04 25 {=hook}  mov hook,%rax
            ff d0                call *%rax
            c3                   ret`,
        set: `48 c7 c0 {=later}    mov $later,%rax
              48 89 04 25 {=hook}  mov %rax,hook
              c3                   ret`,
        first: RETURN,
        later: RETURN,
      },
      data: { hook: ["first"] },
      prototypes: { f: "none", set: "none", first: "none", later: "none" },
      typed: ["hook", "first", "later"],
      // Of the prototype of what it holds.
      assumed: ["void (void)", "f", "first", "later", "set"],
    },
    {
      what: "a variable in an object of a known type that nobody is seen to fill: as that member elsewhere",
      functions: {
        f: `48 8b 04 25 {=one+8}  mov one+8,%rax
            ff d0                 call *%rax
            c3                    ret`,
        init: `48 c7 c7 {=one}  mov $one,%rdi
               e8 {register}    call register
               c3               ret`,
        register: `48 c7 47 08 {=close1}  movq $close1,0x8(%rdi)
                   c3                     ret`,
        close1: RETURN,
        other: RETURN,
        keep: `48 c7 c0 {=other}  mov $other,%rax
               c3                 ret`,
      },
      data: { one: ["other", "other"] },
      zeroed: true,
      prototypes: { f: "none", init: "none", keep: "none", register: "ops", close1: "file", other: "file" },
      typed: ["one+0x8", "close1"],
      assumed: [FILE, "close1", "other"],
    },
    {
      what: "an object that another one of a known type is copied to",
      functions: {
        f: `48 8b 04 25 {=one+8}  mov one+8,%rax
            ff d0                 call *%rax
            c3                    ret`,
        keep: `48 89 fe           mov %rdi,%rsi
               48 c7 c7 {=one}    mov $one,%rdi
               48 a5              movsq
               48 a5              movsq
               c3                 ret`,
        register: `48 c7 47 08 {=close1}  movq $close1,0x8(%rdi)
                   c3                     ret`,
        close1: RETURN,
      },
      data: { one: ["close1", "close1"] },
      zeroed: true,
      prototypes: { f: "none", keep: "ops", register: "ops", close1: "file" },
      typed: ["one+0x8", "close1"],
      assumed: [FILE, "close1"],
    },
    {
      what: "a table that is zero at first: what is stored in it",
      functions: {
        f: `48 8b 83 {=table}  mov table(%rbx),%rax
            ff d0              call *%rax
            c3                 ret`,
        set: `48 c7 c0 {=later}  mov $later,%rax
              48 89 83 {=table}  mov %rax,table(%rbx)
              c3                 ret`,
        later: RETURN,
        other: RETURN,
        keep: `48 c7 c0 {=other}  mov $other,%rax
               c3                 ret`,
      },
      data: { table: ["other", "other"] },
      zeroed: true,
      prototypes: { f: "none", set: "none", later: "work", other: "work", keep: "none" },
      typed: ["an element of table", "later"],
      assumed: ["void (struct work *work)", "later", "other"],
    },
    {
      what: "a table that is zero at first: what is stored in one of its words",
      functions: {
        f: `48 8b 83 {=table}  mov table(%rbx),%rax
            ff d0              call *%rax
            c3                 ret`,
        set: `48 c7 c0 {=later}        mov $later,%rax
              48 89 04 25 {=table+8}   mov %rax,table+8
              48 89 83 {=table}        mov %rax,table(%rbx)
              48 c7 c0 {=other}        mov $other,%rax
              48 89 04 25 {=table}     mov %rax,table
              c3                       ret`,
        later: RETURN,
        other: RETURN,
      },
      data: { table: ["other", "other"] },
      zeroed: true,
      prototypes: { f: "none", set: "none", later: "work", other: "work" },
      typed: ["an element of table", "later", "other"],
      assumed: ["void (struct work *work)", "later", "other"],
    },
    {
      what: "the first of a list that is empty at first: what is put in at its end",
      functions: {
        f: `48 8b 04 25 {=head}  mov head,%rax
            ff 50 10             callq *0x10(%rax)
            c3                   ret`,
        add: `48 c7 c0 {=one}          mov $one,%rax
              48 89 04 25 {=head+8}    mov %rax,head+8
              c3                       ret`,
        wanted: RETURN,
        behind: RETURN,
      },
      data: { head: ["head", "head", "behind"], one: ["behind", "behind", "wanted"] },
      prototypes: { f: "none", add: "none", wanted: "work", behind: "work" },
      typed: ["one+0x10", "wanted"],
      assumed: ["void (struct work *work)", "behind", "wanted"],
    },
    {
      what: "a static call: what code loads and turns it to",
      functions: {
        f: `e8 {__SCT__x}  call __SCT__x
            c3             ret`,
        __SCT__x: RETURN,
        setup: `48 8b 07                   mov (%rdi),%rax
                48 8b 50 08                mov 0x8(%rax),%rdx
                48 c7 c6 {=__SCT__x}       mov $__SCT__x,%rsi
                e8 {__static_call_update}  call __static_call_update
                c3                         ret`,
        __static_call_update: RETURN,
        open1: RETURN,
        close1: RETURN,
      },
      data: { one: ["open1", "close1"] },
      caller: "__SCT__x",
      prototypes: { f: "none", setup: "file", open1: "file", close1: "file" },
      typed: ["ops.close", "close1"],
      assumed: [FILE, "close1", "open1", "setup"],
    },
    {
      what: "a static call that is turned to who knows what",
      functions: {
        __SCT__x: RETURN,
        setup: `48 89 fa                   mov %rdi,%rdx
                48 c7 c6 {=__SCT__x}       mov $__SCT__x,%rsi
                e8 {__static_call_update}  call __static_call_update
                c3                         ret`,
        __static_call_update: RETURN,
        open1: RETURN,
      },
      data: { one: ["open1"] },
      caller: "__SCT__x",
      prototypes: { setup: "data", open1: "file" },
      typed: null,
      assumed: null,
    },
    {
      what: "one of which nothing is known: whoever takes what the argument registers point to",
      functions: {
        f: `ff 55 08   callq *0x8(%rbp)
            c3         ret`,
        forFiles: RETURN,
        forWork: RETURN,
        keep: `48 c7 c0 {=forFiles}  mov $forFiles,%rax
               48 c7 c0 {=forWork}   mov $forWork,%rax
               c3                    ret`,
      },
      prototypes: { f: "file", forFiles: "file", forWork: "work" },
      typed: null,
      // keep has no prototype on record, but nobody takes its address.
      assumed: ["(struct file *, …) with a result", "f", "forFiles"],
    },
    {
      what: "without type information: all whose address is taken",
      functions: {
        f: `ff 57 08   callq *0x8(%rdi)
            c3         ret`,
        taken: RETURN,
        called: RETURN,
        keep: `48 c7 c0 {=taken}  mov $taken,%rax
               e9 {called}        jmp called`,
      },
      prototypes: null,
      typed: null,
      assumed: ["(…)", "taken"],
    },
  ];
  for (const example of examples) check(example);
});

describe("where no slot is known", () => {
  /** ftrace's hook, as a running kernel has it: such functions were compiled without -fipa-ra. */
  const HOOK = "0f 1f 44 00 00  nopl 0x0(%rax,%rax,1)";
  const CANDIDATES = { nothing: RETURN, forFiles: RETURN, forWork: RETURN };
  const KEPT = { kept: ["nothing", "forFiles", "forWork"] };
  const PROTOTYPES = { nothing: "none", forFiles: "file", forWork: "work" } as const;
  const examples: Example[] = [
    {
      what: "registers that a call may have overwritten are no arguments",
      functions: {
        f: `${HOOK}
            e8 {helper}  call helper
            48 8b 03     mov (%rbx),%rax
            ff d0        call *%rax
            c3           ret`,
        helper: RETURN,
        ...CANDIDATES,
      },
      data: KEPT,
      prototypes: { f: "work", helper: "none", ...PROTOTYPES },
      typed: null,
      assumed: ["()", "nothing"],
    },
    {
      what: "without the hook the compiler may know what a call leaves alone",
      functions: {
        f: `e8 {helper}  call helper
            48 8b 03     mov (%rbx),%rax
            ff d0        call *%rax
            c3           ret`,
        helper: RETURN,
        ...CANDIDATES,
      },
      data: KEPT,
      prototypes: { f: "work", helper: "none", ...PROTOTYPES },
      typed: null,
      assumed: ["(…)", "f", "forFiles", "forWork", "nothing"],
    },
    {
      what: "a result that is looked at comes from no function that returns nothing",
      functions: {
        f: `${HOOK}
            48 89 df  mov %rbx,%rdi
            48 8b 03  mov (%rbx),%rax
            ff d0     call *%rax
            85 c0     test %eax,%eax
            c3        ret`,
        ...CANDIDATES,
      },
      data: KEPT,
      prototypes: { f: "none", ...PROTOTYPES },
      typed: null,
      assumed: ["(?) with a result", "forFiles"],
    },
    {
      what: "one that is not may come from any",
      functions: {
        f: `${HOOK}
            48 89 df  mov %rbx,%rdi
            48 8b 03  mov (%rbx),%rax
            ff d0     call *%rax
            31 c0     xor %eax,%eax
            c3        ret`,
        ...CANDIDATES,
      },
      data: KEPT,
      prototypes: { f: "none", ...PROTOTYPES },
      typed: null,
      assumed: ["(?)", "f", "forFiles", "forWork", "nothing"],
    },
    {
      what: "behind a pointer to anything: the members at that offset of whatever struct",
      functions: {
        f: `48 8b 47 08  mov 0x8(%rdi),%rax
            48 8b 40 18  mov 0x18(%rax),%rax
            31 ff        xor %edi,%edi
            ff d0        call *%rax
            31 c0        xor %eax,%eax
            c3           ret`,
        ...CANDIDATES,
      },
      data: KEPT,
      prototypes: { f: "file", ...PROTOTYPES },
      typed: null,
      // A file has its work's function there, and nothing else has one.
      assumed: ["(…)", "forWork"],
    },
    {
      what: "behind a void * of a function that others may call too: not only what is at hand in the call that is seen",
      functions: {
        f: `48 8b 47 08  mov 0x8(%rdi),%rax
            ff d0        call *%rax
            31 c0        xor %eax,%eax
            c3           ret`,
        caller: `e9 {f}     jmp f`,
        start: `48 c7 c0 {=f}  mov $f,%rax
                c3             ret`,
        ...CANDIDATES,
      },
      data: KEPT,
      prototypes: { f: "data", caller: "work", start: "none", ...PROTOTYPES },
      typed: null,
      // Work has a function there, and so have ops.
      assumed: ["(…)", "caller", "forFiles", "forWork"],
    },
    {
      what: "a tracepoint calls the probes that are registered for it, and such as take what it takes",
      caller: "__traceiter_opened",
      functions: {
        __traceiter_opened: `48 8b 03  mov (%rbx),%rax
                             ff d0     call *%rax
                             c3        ret`,
        init: `48 c7 c7 {=__tracepoint_opened}  mov $__tracepoint_opened,%rdi
               48 c7 c6 {=probe}                mov $probe,%rsi
               e8 {tracepoint_probe_register}   call tracepoint_probe_register
               c3                               ret`,
        tracepoint_probe_register: RETURN,
        probe: RETURN,
        other: RETURN,
        ...CANDIDATES,
      },
      data: { ...KEPT, __tracepoint_opened: ["other"] },
      prototypes: { __traceiter_opened: "work", probe: "work", other: "work", init: "none", ...PROTOTYPES },
      typed: ["probes of opened", "probe"],
      assumed: ["void (struct work *work)", "__traceiter_opened", "forWork", "other", "probe"],
    },
  ];
  for (const example of examples) check(example);
});

describe("kCFI: who has the hash that the call checks for", () => {
  // As clang 16 compiles it (-fsanitize=kcfi): int (*)(int) has the hash 0x00050794, void (*)(void *) 0xa488ebfc.
  const ONE = "b8 94 07 05 00  mov $0x50794,%eax";
  const TWO = "b8 fc eb 88 a4  mov $0xa488ebfc,%eax";
  const CHECK = `41 ba 6c f8 fa ff  mov $0xfffaf86c,%r10d
                 45 03 53 fc        add -0x4(%r11),%r10d
                 74 02              je .+2
                 0f 0b              ud2`;
  /** What stands before a function fills the end of the sixteen bytes before it. */
  const before = (hash: string) => `${"90  nop\n".repeat(11)}${hash}`;
  const FUNCTIONS = {
    __cfi_inc: before(ONE),
    inc: RETURN,
    __cfi_dec: before(ONE),
    dec: RETURN,
    __cfi_drop: before(TWO),
    drop: RETURN,
    __cfi_never: before(ONE),
    never: RETURN,
    assembler: RETURN,
    user: `e8 {never}  call never
           c3          ret`,
  };
  const KEPT = { kept: ["inc", "dec", "drop", "assembler"] };
  const examples: Example[] = [
    {
      what: "a call; of functions whose address is taken",
      functions: { f: `49 89 fb  mov %rdi,%r11\n${CHECK}\n41 ff d3  call *%r11\nc3  ret`, ...FUNCTIONS },
      data: KEPT,
      prototypes: null,
      typed: null,
      assumed: ["type hash 0x00050794", "dec", "inc"],
    },
    {
      what: "a jump",
      functions: { f: `49 89 fb  mov %rdi,%r11\n${CHECK}\n41 ff e3  jmp *%r11`, ...FUNCTIONS },
      data: KEPT,
      prototypes: null,
      typed: null,
      assumed: ["type hash 0x00050794", "dec", "inc"],
    },
    {
      what: "through a thunk",
      functions: {
        f: `49 89 fb                           mov %rdi,%r11\n${CHECK}
            e8 {__x86_indirect_thunk_r11}  call __x86_indirect_thunk_r11
            c3                                 ret`,
        __x86_indirect_thunk_r11: "41 ff e3  jmp *%r11",
        ...FUNCTIONS,
      },
      data: KEPT,
      prototypes: null,
      typed: null,
      assumed: ["type hash 0x00050794", "dec", "inc"],
    },
    {
      what: "with padding between hash and function",
      functions: {
        f: `49 89 fb  mov %rdi,%r11\n${CHECK.replace("53 fc        add -0x4", "53 f1        add -0xf")}\n41 ff d3  call *%r11\nc3  ret`,
        __cfi_padded: `${ONE}\n${"90  nop\n".repeat(11)}`,
        padded: RETURN,
        ...FUNCTIONS,
      },
      data: { kept: [...KEPT.kept, "padded"] },
      prototypes: null,
      typed: null,
      assumed: ["type hash 0x00050794", "padded"],
    },
    {
      what: "of what the slot was given, what passes",
      functions: {
        f: `4c 8b 1c 25 {=kept}  mov kept,%r11\n${CHECK}\n41 ff d3  call *%r11\nc3  ret`,
        set: `48 c7 c0 {=drop}     mov $drop,%rax
              48 89 04 25 {=kept}  mov %rax,kept
              c3                   ret`,
        ...FUNCTIONS,
      },
      data: { kept: ["inc"], others: ["dec"] },
      prototypes: null,
      typed: ["kept", "inc"],
      assumed: ["type hash 0x00050794", "dec", "inc"],
    },
  ];
  for (const example of examples) check(example);
});

describe("with debug information", () => {
  const functions = {
    first: `8b 07  mov (%rdi),%eax
            c3     ret`,
    second: `8b 07     mov (%rdi),%eax
             83 c0 01  add $0x1,%eax
             c3        ret`,
  };
  const data = { table: ["first", "second", "second", "first"], hook: ["first"] };
  const reach = `48 83 ec 08  sub $0x8,%rsp
                 48 8b 7f 08  mov 0x8(%rdi),%rdi
                 48 8b 07     mov (%rdi),%rax
                 ff 50 08     callq *0x8(%rax)
                 48 83 c4 08  add $0x8,%rsp
                 83 c0 01     add $0x1,%eax
                 c3           ret`;
  const examples: Example[] = [
    {
      what: "a local's type says what a void * points to, a variable's what its words are",
      functions: { ...functions, reach },
      data,
      caller: "reach",
      debugInfo: true,
      prototypes: null,
      typed: ["ops.close", "first", "second"],
      assumed: ["int (void *at)", "first", "second"],
    },
    {
      what: "without it nobody knows",
      functions: { ...functions, reach },
      data,
      caller: "reach",
      prototypes: null,
      typed: null,
      assumed: ["(…) with a result", "first", "second"],
    },
    {
      what: "a variable that nobody is seen to fill has its prototype all the same",
      functions: {
        ...functions,
        reach,
        f: `ff 14 25 {=hook}  callq *hook
            c3                ret`,
        keep: `48 c7 c0 {=first}   mov $first,%rax
               48 c7 c0 {=second}  mov $second,%rax
               48 c7 c0 {=other}   mov $other,%rax
               c3                  ret`,
        other: RETURN,
      },
      data,
      zeroed: true,
      debugInfo: true,
      prototypes: null,
      typed: null,
      assumed: ["int (void *at)", "first", "other", "second"],
    },
    {
      what: "a variable's type is that of what it points to",
      functions: {
        ...functions,
        reach,
        f: `ff 14 25 {=hook}  callq *hook
            c3                ret`,
      },
      data,
      debugInfo: true,
      prototypes: null,
      typed: ["hook", "first"],
      assumed: ["int (void *at)", "first", "second"],
    },
  ];
  for (const example of examples) check(example);
});
