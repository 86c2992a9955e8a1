import type { Diagnosis, DiagnosisFrame } from "@spillway/core";

const LOW = 0xffffca72c0010000n;

/** Frames from names and sizes in bytes, laid out so that the outermost ends 0x58 bytes below the top of the stack. */
export function framesOf(
  list: readonly (readonly [name: string, bytes: number, module?: string, why?: string])[],
  high = LOW + 0x4000n,
): DiagnosisFrame[] {
  let sp = high - 0x58n - BigInt(list.reduce((total, [, bytes]) => total + bytes, 0));
  return list.map(([name, bytes, module, why], index) => {
    const frame: DiagnosisFrame = {
      function: name,
      module: module ?? null,
      offset: 0x1c + index,
      address: `0x${(0xffffffffad000000n + BigInt(index * 0x1000 + 0x1c)).toString(16)}`,
      sp: `0x${sp.toString(16)}`,
      certainty: why === undefined ? "proven" : "inferred",
      inlined: false,
      why: why ?? null,
    };
    sp += BigInt(bytes);
    return frame;
  });
}

const BASE = {
  schema: "spillway/diagnosis@1",
  input: { kind: "vmcore", format: "elf", path: "vmcore" },
  kernel: { release: "6.1.0-56-cloud-amd64", arch: "x86_64", crashTime: "2026-11-20T19:50:43Z" },
  alternatives: [],
  recursion: null,
  stale: [],
  corruption: null,
  evidence: [],
  missing: [],
  advice: [],
} as const;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function usedBy(frames: readonly DiagnosisFrame[]): number {
  return Number(LOW + 0x4000n - BigInt(frames[0]!.sp!));
}

const smashed = framesOf([
  ["panic", 128],
  ["__stack_chk_fail", 16],
  ["parse_packet", 136, "vandal"],
  ["vandal_write", 48, "vandal", "the only call of parse_packet in vandal; its return slot was overwritten"],
  ["proc_reg_write", 24],
  ["vfs_write", 152],
  ["ksys_write", 56],
  ["do_syscall_64", 40],
  ["entry_SYSCALL_64_after_hwframe", 8],
]);

/** A local buffer overrun. */
export const BUFFER_OVERFLOW: Diagnosis = {
  ...BASE,
  panic: {
    message: "stack-protector: Kernel stack is corrupted in: parse_packet+0x7f/0x80 [vandal]",
    cpu: 1,
    pid: 1,
    comm: "init",
    task: "0xffff8c77c120a0c0",
  },
  verdict: {
    kind: "stack-buffer-overflow",
    cause: null,
    confidence: "certain",
    summary:
      "parse_packet [vandal] wrote past the end of a buffer in its own frame: 120 bytes from there upwards, its canary and its return address among them, hold the byte 0x41.",
    culprit: { function: "parse_packet", module: "vandal", file: null, line: null },
  },
  alternatives: [{ kind: "foreign-write", confidence: "possible", why: "no writer outside this chain was looked for" }],
  stack: { kind: "task", low: hex(LOW), high: hex(LOW + 0x4000n), usedBytes: usedBy(smashed) },
  frames: smashed,
  stale: [{ function: "do_truncate", sp: smashed[0]!.sp }],
  corruption: {
    start: hex(BigInt(smashed[2]!.sp!) + 64n),
    end: hex(BigInt(smashed[2]!.sp!) + 184n),
    bytes: 120,
    pattern: '0x41 repeated (text "AAAA…")',
    canary: {
      slot: hex(BigInt(smashed[2]!.sp!) + 96n),
      expected: "0x01c02d5075664900",
      found: "0x4141414141414141",
    },
  },
  evidence: [
    {
      id: "canary-mismatch",
      address: hex(BigInt(smashed[2]!.sp!) + 96n),
      text: "parse_packet keeps its canary here; it holds 0x4141414141414141, the reference at gs:0x28 of CPU 1 is 0x01c02d5075664900",
    },
    { id: "panic-message", address: null, text: "the kernel's stack protector stopped the machine" },
  ],
  missing: ["the name of the overrun variable: that needs the module's debug information"],
  advice: ["look at the writes to local arrays in parse_packet: spillway dis vmcore parse_packet"],
};

const turns = Array.from({ length: 212 }, () => ["nest", 80, "vandal"] as const);
const deep = framesOf([
  ["asm_exc_double_fault", 0],
  ...turns,
  ["nest_entry", 40, "vandal"],
  ["vfs_write", 152],
  ["ksys_write", 56],
  ["do_syscall_64", 40],
  ["entry_SYSCALL_64_after_hwframe", 8],
]);

/** Direct recursion that ran into the guard page. */
export const RECURSION: Diagnosis = {
  ...BASE,
  panic: { message: "kernel stack overflow (double-fault)", cpu: 0, pid: 77, comm: "sh", task: "0xffff8a210120a0c0" },
  verdict: {
    kind: "stack-overflow",
    cause: "recursion",
    confidence: "certain",
    summary: "nest [vandal] calls itself without end: 212 turns of 80 bytes each filled the 16,384 bytes of the stack.",
    culprit: { function: "nest", module: "vandal", file: null, line: null },
  },
  stack: { kind: "task", low: hex(LOW), high: hex(LOW + 0x4000n), usedBytes: 16384 },
  frames: deep.slice(1),
  recursion: { functions: ["nest"], firstFrame: 0, turns: 212, bytesPerTurn: 80 },
};

/** A deep chain without recursion: long enough that its middle is summed up. */
export const DEEP_CHAIN: Diagnosis = {
  ...RECURSION,
  verdict: {
    ...RECURSION.verdict,
    cause: "deep-call-chain",
    culprit: null,
    summary: "A chain of 60 calls, none repeated.",
  },
  frames: framesOf(Array.from({ length: 60 }, (_, index) => [`level_${index}`, 100 + index] as const)),
  recursion: null,
};

/** No stack trouble at all. */
export const SYSRQ: Diagnosis = {
  ...BASE,
  panic: { message: "sysrq triggered crash", cpu: 0, pid: 1, comm: "init", task: "0xffff8a210120a0c0" },
  verdict: {
    kind: "not-stack-related",
    cause: null,
    confidence: "certain",
    summary: "Somebody asked for this crash through sysrq; every stack is intact.",
    culprit: null,
  },
  stack: { kind: "task", low: hex(LOW), high: hex(LOW + 0x4000n), usedBytes: 0x4a8 },
  frames: framesOf([
    ["panic", 128],
    ["sysrq_handle_crash", 8],
    ["write_sysrq_trigger", 48],
    ["vfs_write", 152],
    ["do_syscall_64", 400],
  ]),
};
