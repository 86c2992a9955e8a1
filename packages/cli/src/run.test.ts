import { type Kernel, SpillwayError } from "@spillway/core";
import { expect, test } from "vitest";
import type { Context } from "./context.ts";
import { run } from "./run.ts";
import { OutputClosed } from "./terminal.ts";
import { type FakeFacts, fakeKernel, INIT_TASK, TEXT, task } from "./testing/fake-kernel.ts";
import { type Recorder, recorder } from "./testing/recorder.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

async function ran(
  args: string,
  context: Partial<Context> & { kernel?: Kernel; terminal?: Recorder } = {},
): Promise<Ran> {
  const terminal = context.terminal ?? recorder();
  const open: Context["open"] = context.open ?? ((files) => ({ files, kernel: context.kernel ?? fakeKernel() }));
  const code = await run(args.split(" ").filter(Boolean), { terminal, open });
  return { code, output: terminal.output(), errors: terminal.errors() };
}

/** A page at TEXT with a banner at 0x400. */
const page = new Uint8Array(4096);
page.set(new TextEncoder().encode("Linux version 6.1.0\n"), 0x400);
const facts: FakeFacts = {
  tasks: [task({ pid: 1, tgid: 1, running: true })],
  memory: [[TEXT, page]],
  log: [{ timestamp: 5_000_000n, level: 6, text: "hello", caller: null }],
};

test.each([
  [
    "ps vmcore",
    "      PID    PPID  CPU       TASK        ST  COMM\n>       1       ?   0  ffff8a210120a0c0  RU  init\n",
  ],
  ["log vmcore -t", "hello\n"],
  ["sym vmcore vfs_read+4", "ffffffff81000104 (T) vfs_read+4\n"],
  ["sym vmcore vfs_read vfs_write", "ffffffff81000100 (T) vfs_read\nffffffff81000200 (T) vfs_write\n"],
  ["sym vmcore -q nest", "ffffffff81000300 (t) nest.isra.0\n"],
  ["sym vmcore -m vandal", "ffffffffc0000040 (t) parse_packet [vandal]\n"],
  ["mod vmcore", "no modules are loaded\n"],
  ["rd vmcore -a linux_banner", "ffffffff81000400:  Linux version 6.1.0\n"],
  ["rd vmcore -16 linux_banner 2", "ffffffff81000400:  694c 756e                                 Linu\n"],
  ["rd vmcore linux_banner+1 -e linux_banner+9 -x", "ffffffff81000401:  7265762078756e69 \n"],
])("spillway %s", async (args, expected) => {
  const result = await ran(args, { kernel: fakeKernel(facts) });
  expect(result.output).toBe(expected);
  expect(result.code).toBe(0);
  expect(result.errors).toBe("");
});

test.each([
  ["", 2, "SPW_USAGE: which command?", "see spillway --help"],
  ["frobnicate", 2, "SPW_USAGE: unknown command 'frobnicate'", "see spillway --help"],
  ["ps", 2, "SPW_USAGE: missing required argument 'file'", "see spillway ps --help"],
  ["ps vmcore --nope", 2, "SPW_USAGE: unknown option '--nope'", "see spillway ps --help"],
  ["log vmcore -T -t", 2, "SPW_USAGE: -T and -t exclude each other", null],
  ["dis vmcore -r -f vfs_read", 2, "SPW_USAGE: -r and -f exclude each other", null],
  ["rd vmcore --bits 7 linux_banner", 2, 'SPW_USAGE: words are of 8, 16, 32 or 64 bits, not "7"', null],
  ["rd vmcore linux_banner many", 2, 'SPW_USAGE: "many" is no count between 1 and 8388608', null],
  ["rd vmcore linux_banner 99999999999", 2, 'SPW_USAGE: "99999999999" is no count between 1 and 8388608', null],
  ["rd vmcore linux_banner 0", 2, 'SPW_USAGE: "0" is no count between 1 and 8388608', null],
  [
    "sym vmcore",
    2,
    "SPW_USAGE: which symbol?",
    "name symbols or addresses, or list them with -l, -m MODULE or -q PART",
  ],
  [
    "sym vmcore zzz",
    4,
    'SPW_SYMBOL_UNKNOWN: no symbol named "zzz" in this dump',
    "spillway sym FILE -q PART lists the symbols whose name contains PART",
  ],
  ["ps vmcore 4711", 4, "SPW_TASK_UNKNOWN: no task in this dump is like that", "spillway ps FILE lists them all"],
  [
    "bt vmcore",
    4,
    "SPW_TASK_UNKNOWN: this dump does not tell which task panicked",
    "spillway ps FILE lists the tasks; bt -a shows the active task of every CPU",
  ],
  ["rd vmcore dead0000", 4, "SPW_MEMORY_MISSING: memory at 0xdead0000 was left out when the dump was written", null],
])("spillway %s ends with %d", async (args, code, message, hint) => {
  const result = await ran(args, { kernel: fakeKernel(facts) });
  expect(result.errors).toBe(`spillway: ${message}\n${hint === null ? "" : `hint: ${hint}\n`}`);
  expect(result.code).toBe(code);
  expect(result.output).toBe("");
});

test.each(["internal", "usage", "input", "missing", "environment"] as const)(
  "class %s has its exit code",
  async (name) => {
    const open = () => {
      throw new SpillwayError("SPW_USAGE", "no", { class: name });
    };
    const codes = { internal: 1, usage: 2, input: 3, missing: 4, environment: 5 };
    expect((await ran("sys vmcore", { open })).code).toBe(codes[name]);
  },
);

test("an unexpected error is one line that asks for a report, without a stack trace", async () => {
  const open = () => {
    throw new TypeError("x is not\na function");
  };
  const result = await ran("sys vmcore", { open });
  expect(result.code).toBe(1);
  expect(result.errors.split("\n")).toEqual([
    "spillway: SPW_INTERNAL: TypeError: x is not a function",
    "hint: this is a defect of spillway: please report it with the command and the output of --debug",
    "",
  ]);
  expect((await ran("sys vmcore --debug", { open })).errors).toMatch(/caused by TypeError: .*\n(.*\n)*\s+at /);
});

test("--debug shows the facts of an error", async () => {
  const result = await ran("rd vmcore dead0000 --debug", { kernel: fakeKernel(facts) });
  expect(result.errors).toContain("  address = 0xdead0000\n  reason = excluded\n");
});

test("a reader that goes away is no error", async () => {
  const terminal: Recorder = {
    ...recorder(),
    write() {
      throw new OutputClosed();
    },
  };
  expect(await ran("ps vmcore", { kernel: fakeKernel(facts), terminal })).toEqual({ code: 0, output: "", errors: "" });
});

test("what can be read is printed before the error", async () => {
  const result = await ran("rd vmcore ffffffff81000ff0 4 -x", { kernel: fakeKernel(facts) });
  expect(result.output).toBe("ffffffff81000ff0:  0000000000000000 0000000000000000 \n");
  expect(result.errors).toMatch(/SPW_MEMORY_MISSING: memory at 0xffffffff81001000 /);
  expect(result.code).toBe(4);
});

test.each([
  ["diagnose", "diagnose"],
  ["lab", "lab"],
])("%s has help with examples", async (command, expected) => {
  const { output, code } = await ran(`${command} --help`);
  expect(code).toBe(0);
  expect(output).toContain(`Usage: spillway ${expected}`);
  expect(output).toMatch(/\nExamples:\n +spillway /);
});

test("the first word may be a file where the caller says so", async () => {
  const terminal = recorder();
  const opened: (readonly string[])[] = [];
  const open: Context["open"] = (files) => {
    opened.push(files);
    throw new SpillwayError("SPW_INPUT_NOT_FOUND", "none");
  };
  expect(await run(["vmcore"], { terminal, open }, { diagnoseByDefault: true })).toBe(3);
  expect(await run(["sys", "vmcore"], { terminal, open }, { diagnoseByDefault: true })).toBe(3);
  expect(await run(["bt", "a", "1", "--split", "b", "c"], { terminal, open })).toBe(3);
  expect(opened).toEqual([["vmcore"], ["vmcore"], ["a", "b", "c"]]);
});

test("--json prints addresses as strings", async () => {
  const { output } = await ran("ps vmcore --json", { kernel: fakeKernel(facts) });
  expect(JSON.parse(output)).toMatchObject([{ address: `0x${INIT_TASK.toString(16)}`, pid: 1, comm: "init" }]);
});
