import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openText } from "../open-text.ts";
import { parseAttInstruction } from "./att-instruction.ts";
import { frameDepths } from "./frame-depths.ts";
import { SESSION } from "./hrtimer-nanosleep.fixture.ts";
import { parseSession } from "./parse-session.ts";
import { wordAt } from "./session.ts";
import { systemCallName } from "./system-calls.ts";

const judge = (text: string) => openText(text, "session.txt").diagnose();

describe("the crash of 2019", () => {
  const diagnosis = judge(SESSION);
  const evidence = new Map(diagnosis.evidence.map((item) => [item.id, item]));

  test("is a check on the wrong frame, and an overrun buffer ranks below", () => {
    expect(diagnosis.input).toEqual({ kind: "crash-session", format: "crash", path: "session.txt" });
    expect(diagnosis.verdict).toMatchObject({
      kind: "frame-mismatch",
      confidence: "likely",
      culprit: {
        function: "hrtimer_nanosleep",
        module: null,
        file: "/usr/src/debug/kernel-3.10.0-862.14.2.el7/linux-3.10.0-862.14.2.el7.x86_64/kernel/hrtimer.c",
        line: 1545,
      },
    });
    expect(diagnosis.alternatives.map((one) => one.kind)).toContain("stack-buffer-overflow");
    expect(diagnosis.panic).toMatchObject({ cpu: 18, pid: 115885, comm: "App01" });
    expect(diagnosis.kernel).toMatchObject({ release: "3.10.0-862.14.2.el7.x86_64", arch: "x86_64" });
  });

  test.each([
    ["frame-geometry", "0xffff8812473e3d28", /RSP 0xffff8812473e3d30 .* ends 160 bytes above, at 0xffff8812473e3dd0/],
    ["frame-register", "0xffff8812473e3d20", /must then be 0xffff8812473e3dc0. It was 0xffff8812473e3e68, 0xa8 bytes/],
    ["checked-word", "0xffff8812473e3e40", /at -0x28\(%rbp\).* slot of hrtimer_nanosleep is at 0xffff8812473e3d98/],
    ["frame-owner", "0xffff8812473e3e70", /a return address into do_futex/],
    ["frame-does-not-fit", "0xffff8812473e3dc8", /crash prints do_futex as the caller of hrtimer_nanosleep/],
    ["system-call", "0xffff8812473e3f08", /202 \(futex\).*do_futex <- sys_futex <- system_call_fastpath/],
  ])("has the figures of %s", (id, address, text) => {
    expect(evidence.get(id)?.address).toBe(address);
    expect(evidence.get(id)?.text).toMatch(text);
  });

  test("only the call that is listed proves its frame", () => {
    const proven = diagnosis.frames.filter((frame) => frame.certainty === "proven");
    expect(proven.map((frame) => [frame.function, frame.offset])).toEqual([["hrtimer_nanosleep", 346]]);
    expect(diagnosis.frames.map((frame) => frame.function)).toHaveLength(8);
  });

  const lines = SESSION.split("\n");
  test.each<[string, (text: string) => string]>([
    ["without prompts", (text) => text.replaceAll(/^crash> .*$/gm, "")],
    ["with another prompt", (text) => text.replaceAll("crash>", "crash64>")],
    ["with CR at line ends", (text) => text.replaceAll("\n", "\r\n")],
    ["out of a web page", (text) => text.replaceAll("<", "&lt;").replaceAll(">", "&gt;")],
    ["quoted in a mail", (text) => text.replaceAll(/^/gm, "> ")],
    ["in a Markdown fence", (text) => text.replaceAll(/^crash> (.*)$/gm, "```\n\n```bash\ncrash> $1")],
    ["with tabs", (text) => text.replaceAll(/ {4,}/g, "\t")],
    ["as newer binutils print it", (text) => text.replace("callq ", "call  ").replace("retq ", "ret ")],
    ["with everything twice", (text) => text + text],
    [
      "with its parts in another order",
      (text) =>
        text
          .split(/(?=^crash> )/m)
          .reverse()
          .join(""),
    ],
    [
      "with the prologue left out",
      () => lines.filter((line) => !/nanosleep\+(28|30|33|34|38|47|51)>/.test(line)).join("\n"),
    ],
    [
      "without the epilogue, but with a whole prologue",
      (text) =>
        text
          .replace(/^.*\+(291|295|296|298|300|302|303)>.*\n/gm, "")
          .replace(
            /(0xffffffff810aa780.*\n)\.\.\.\n/,
            `$1\
0xffffffff810aa785 <hrtimer_nanosleep+5>: push %rbp
0xffffffff810aa786 <hrtimer_nanosleep+6>: mov %rsp,%rbp
0xffffffff810aa789 <hrtimer_nanosleep+9>: push %r14
0xffffffff810aa78b <hrtimer_nanosleep+11>: mov %rdi,%r14
0xffffffff810aa78e <hrtimer_nanosleep+14>: push %r13
0xffffffff810aa790 <hrtimer_nanosleep+16>: mov %rsi,%r13
0xffffffff810aa793 <hrtimer_nanosleep+19>: nopl 0x0(%rax,%rax,1)
`,
          )
          .replace(/(\+51>.*\n)\.\.\.\n\.\.\.\n/, "$1"),
    ],
  ])("%s it is the same", (_, change) => {
    const changed = judge(change(SESSION));
    expect(changed.verdict.kind).toBe("frame-mismatch");
    expect(changed.verdict.summary).toBe(diagnosis.verdict.summary);
  });

  test("prose between its lines changes nothing", () => {
    const prose = fc.stringMatching(/^[\p{L} ,.!?-]{0,60}$/u).filter((text) => !/^\s*[.…]{2,}/.test(text));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(lines.length), prose), { maxLength: 12 }), (notes) => {
        const text = [...lines];
        for (const [at, note] of notes) text.splice(at, 0, note);
        expect(judge(text.join("\n")).verdict).toEqual(diagnosis.verdict);
      }),
      { numRuns: 40 },
    );
  });

  test.each<[string, (text: string) => string, string]>([
    [
      "RBP as it must be",
      (text) => text.replace("ffff8812473e3d20:  ffff8812473e3e68", "ffff8812473e3d20:  ffff8812473e3dc0"),
      "stack-buffer-overflow",
    ],
    ["no listing", (text) => text.replace(/crash> dis[\s\S]*/, ""), "stack-buffer-overflow"],
    ["no raw stack", (text) => text.replace(/crash> bt -r[\s\S]*?(?=crash> dis)/, ""), "stack-buffer-overflow"],
  ])("with %s there is no such verdict", (_, change, kind) => {
    const changed = judge(change(SESSION));
    expect(changed.verdict).toMatchObject({ kind, confidence: "possible" });
    expect(changed.missing.length).toBeGreaterThan(0);
  });
});

/** A frame with its canary at 0x58(%rsp), as kernels without frame pointers have it. */
function overrun(words: readonly string[]): string {
  const rows = words.map((word, index) => `    ${(0xffffc90000103d30n + BigInt(8 * index)).toString(16)}: ${word}`);
  return `crash> bt -f
PID: 77  TASK: ffff888001234000  CPU: 0  COMMAND: "sh"
 #0 [ffffc90000103ca0] panic at ffffffff81999999
 #1 [ffffc90000103d18] __stack_chk_fail at ffffffff81a00000
 #2 [ffffc90000103d28] read_name at ffffffffc0001044 [names]
${rows.join("\n")}
 #3 [ffffc90000103da0] serve at ffffffffc0001200 [names]
crash> dis read_name
0xffffffffc0001000 <read_name>:	push   %r12
0xffffffffc0001002 <read_name+2>:	push   %rbx
0xffffffffc0001003 <read_name+3>:	sub    $0x60,%rsp
0xffffffffc0001007 <read_name+7>:	mov    %gs:0x28,%rax
0xffffffffc0001010 <read_name+16>:	mov    %rax,0x58(%rsp)
0xffffffffc0001015 <read_name+21>:	xor    %eax,%eax
0xffffffffc0001017 <read_name+23>:	callq  0xffffffffc0002000 <fill>
0xffffffffc000101c <read_name+28>:	mov    0x58(%rsp),%rdx
0xffffffffc0001021 <read_name+33>:	sub    %gs:0x28,%rdx
0xffffffffc000102a <read_name+42>:	jne    0xffffffffc000103f <read_name+63>
0xffffffffc000102c <read_name+44>:	add    $0x60,%rsp
0xffffffffc0001030 <read_name+48>:	pop    %rbx
0xffffffffc0001031 <read_name+49>:	pop    %r12
0xffffffffc0001033 <read_name+51>:	retq
0xffffffffc000103f <read_name+63>:	callq  0xffffffff81a00000 <__stack_chk_fail>
`;
}

const TEXT = "6161616161616161";
const zeros = (count: number): string[] => new Array(count).fill("0000000000000000");

describe("what the slot holds", () => {
  test.each([
    [
      "text from the buffer on",
      [...zeros(6), ...new Array(6).fill(TEXT), ...zeros(3)],
      "stack-buffer-overflow",
      "likely",
      8,
    ],
    [
      "text over saved registers too",
      [...zeros(6), ...new Array(8).fill(TEXT), ...zeros(1)],
      "stack-buffer-overflow",
      "likely",
      24,
    ],
    ["a single pointer", [...zeros(11), "ffff888012345601", ...zeros(3)], "stack-buffer-overflow", "possible", 8],
  ])("%s", (_, words, kind, confidence, bytes) => {
    const { verdict, corruption, frames } = judge(overrun(words));
    expect(verdict).toMatchObject({ kind, confidence, culprit: { function: "read_name", module: "names" } });
    expect(corruption?.canary?.slot).toBe("0xffffc90000103d88");
    expect(corruption?.bytes).toBe(bytes);
    expect(frames.find((frame) => frame.function === "read_name")?.certainty).toBe("proven");
  });

  test("a caller within the frame makes it doubtful whose slot it is", () => {
    const text = overrun([...zeros(6), ...new Array(6).fill(TEXT), ...zeros(3)]).replace(
      "[ffffc90000103da0] serve",
      "[ffffc90000103d40] serve",
    );
    const { verdict, alternatives } = judge(text);
    expect(verdict.confidence).toBe("possible");
    expect(alternatives.map((one) => one.kind)).toContain("frame-mismatch");
  });
});

test("recursion down to the end of the stack, with no panic message", () => {
  const frames = Array.from(
    { length: 120 },
    (_, index) =>
      ` #${index} [${(0xffffc90000104000n + BigInt(index * 128) + 64n).toString(16)}] walk_tree at ffffffffc0000123 [tree]`,
  );
  const { verdict } = judge(`PID: 9  TASK: ffff888001234000  CPU: 1  COMMAND: "find"\n${frames.join("\n")}`);
  expect(verdict).toMatchObject({ kind: "stack-overflow", cause: "recursion", culprit: { function: "walk_tree" } });
});

test.each([
  ["push   %r12", "push", [{ kind: "register", register: "r12", size: 8 }]],
  [
    "movl   $0x1,-0x14(%rbp)",
    "mov",
    [
      { kind: "memory", base: "rbp", displacement: -20n },
      { kind: "immediate", value: 1n },
    ],
  ],
  [
    "mov    %gs:0x28,%rax",
    "mov",
    [{ kind: "register" }, { kind: "memory", segment: "gs", base: null, displacement: 40n }],
  ],
  ["lea    0x8(%rsp,%rax,4),%rdi  # why", "lea", [{ register: "rdi" }, { base: "rsp", index: "rax", scale: 4 }]],
  ["sub    $0xffffffffffffff80,%rsp", "sub", [{ register: "rsp" }, { value: 0xffffffffffffff80n }]],
  ["movabs $0x7fffffffffffffff,%rax", "mov", [{ register: "rax" }, { value: 0x7fffffffffffffffn }]],
  [
    "mov    0x123(%rip),%eax        # 0xffffffff81234567 <jiffies>",
    "mov",
    [
      { register: "rax", size: 4 },
      { ripRelative: true, base: null },
    ],
  ],
])("%s", (text, mnemonic, operands) => {
  expect(parseAttInstruction(0x1000n, text, 4)).toMatchObject({ mnemonic, operands, flow: "next", target: null });
});

test.each([
  ["callq  0xffffffff8107aff0 <__stack_chk_fail>", "call", 0xffffffff8107aff0n],
  ["callq  *0x8(%rax)", "indirect-call", null],
  ["call   *%rax", "indirect-call", null],
  ["jmpq   0xffffffff810aa891 <x+3>", "jump", 0xffffffff810aa891n],
  ["jne    0xffffffff810aa8d5", "conditional", 0xffffffff810aa8d5n],
  ["repz retq", "return", null],
  ["retq   ", "return", null],
  ["ud2", "trap", null],
])("%s is a %s", (text, flow, target) => {
  expect(parseAttInstruction(0x1000n, text, 4)).toMatchObject({ flow, target });
});

test("depths are carried over jumps, and not over what was left out", () => {
  const { code } = parseSession(SESSION)!;
  const listed = code.get("hrtimer_nanosleep")!;
  const at = new Map(
    listed.instructions.map((one, index) => [Number(one.address - listed.start), frameDepths(listed)[index]]),
  );
  expect([0, 28, 273, 291, 295, 302, 303, 339, 341].map((offset) => at.get(offset))).toEqual([
    8,
    null,
    160,
    160,
    48,
    16,
    8,
    160,
    160,
  ]);
});

test("words are read by value and by symbol", () => {
  const session = parseSession(SESSION)!;
  expect(wordAt(session, 0xffff8812473e3d20n)).toBe(0xffff8812473e3e68n);
  expect(wordAt(session, 0xffff8812473e3d28n)).toBe(0xffffffff810aa8dan);
  // In bt the same place is __stack_chk_fail's return address.
  expect(wordAt(session, 0xffff8812473e3d18n)).toBe(0xffffffff8107b00bn);
  expect(wordAt(session, 0xffff8812473e3d30n)).toBeNull();
  expect(wordAt(session, 0xffff8812473e3da0n)).toBeNull();
});

test.each([
  [0n, "read"],
  [1n, "write"],
  [35n, "nanosleep"],
  [202n, "futex"],
  [230n, "clock_nanosleep"],
  [334n, "rseq"],
  [400n, null],
  [437n, "openat2"],
  [0xffffffffffffffffn, null],
])("system call %s is %s", (number, name) => {
  expect(systemCallName(number)).toBe(name);
});

test("what is no session is none", () => {
  expect(parseSession("[    1.0] BUG: unable to handle page fault for address: 0\n[    1.0] Call Trace:\n")).toBeNull();
  expect(parseSession("")).toBeNull();
});

test("a session that is cut and shuffled is read without a failure", () => {
  const lines = SESSION.split("\n");
  fc.assert(
    fc.property(fc.array(fc.nat(lines.length - 1), { maxLength: 80 }), fc.nat(60), (order, cut) => {
      const text = order.map((index) => lines[index]!.slice(0, index % 3 === 0 ? cut : undefined)).join("\n");
      const session = parseSession(text);
      if (session === null) return;
      expect(judge(`${text}\ncrash> sys\n  PANIC: "Oops: 0000"\n`).schema).toBe("spillway/diagnosis@1");
    }),
    { numRuns: 60 },
  );
});
