import type { CpuNote, DumpImage, Registers } from "../image/dump-image.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { MemberLocation, TypeProvider } from "../types/type-provider.ts";
import type { KernelContext } from "./context.ts";
import { FakeMemory, fakeSymbols } from "./memory.fixture.ts";

/** A kernel context over fake memory; `problems` collects what was reported. */
export function fakeContext(options: {
  readonly memory?: FakeMemory;
  readonly symbols?: Readonly<Record<string, bigint>>;
  readonly vmcoreinfo?: Readonly<Record<string, string>>;
  readonly types?: TypeProvider;
  readonly notes?: readonly CpuNote[];
}): KernelContext & { readonly memory: FakeMemory; readonly problems: string[] } {
  const problems: string[] = [];
  const image = { cpuNotes: options.notes ?? [], header: null } as unknown as DumpImage;
  return {
    image,
    memory: options.memory ?? new FakeMemory(),
    symbols: fakeSymbols(options.symbols ?? {}),
    vmcoreinfo: new Map(Object.entries(options.vmcoreinfo ?? {})),
    types: options.types ?? EmptyTypes,
    problems,
    problem: (text) => {
      problems.push(text);
    },
  };
}

/** A type provider that knows members by "struct.member" with offset and size. */
export function fakeTypes(members: Readonly<Record<string, readonly [number, number]>>): TypeProvider {
  return {
    ...EmptyTypes,
    member: (struct, path): MemberLocation | null => {
      const found = members[`${struct}.${path}`];
      if (!found) return null;
      const [offset, size] = found;
      return { offset, size, bitOffset: offset * 8, bitSize: null, type: { kind: "void" } };
    },
  };
}

const REGISTERS = {
  rip: 0n,
  rsp: 0n,
  rbp: 0n,
  rax: 0n,
  rbx: 0n,
  rcx: 0n,
  rdx: 0n,
  rsi: 0n,
  rdi: 0n,
  r8: 0n,
  r9: 0n,
  r10: 0n,
  r11: 0n,
  r12: 0n,
  r13: 0n,
  r14: 0n,
  r15: 0n,
  eflags: 0n,
  cs: 0x10n,
  ss: 0x18n,
} satisfies Registers;

/** A note of one CPU with some registers set; `gs` makes it one of QEMU's. */
export function fakeNote(index: number, registers: Partial<Registers>, gs: bigint | null = null, pid = 0): CpuNote {
  return {
    index,
    pid,
    registers: { ...REGISTERS, ...registers },
    control: null,
    segmentBases: gs === null ? null : { fs: 0n, gs, kernelGs: 0n },
    idtBase: null,
  };
}
