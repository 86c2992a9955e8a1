import { describe, expect, test } from "vitest";
import { parseNotes, vmcoreinfoText } from "./notes.ts";
import { concat, makeNote, makePrstatus, makeQemuNote } from "./testing/make-notes.ts";
import { ascii } from "./testing/memory-model.ts";

describe("notes", () => {
  test("PRSTATUS gives registers by name", () => {
    const { cpuNotes } = parseNotes(makePrstatus(42, 0x1000n));
    expect(cpuNotes).toHaveLength(1);
    expect(cpuNotes[0]).toMatchObject({ index: 0, pid: 42, control: null, segmentBases: null, idtBase: null });
    // Positions in struct user_regs_struct; 15 is orig_rax.
    expect(cpuNotes[0]!.registers).toEqual({
      ...{ r15: 0x1000n, r14: 0x1001n, r13: 0x1002n, r12: 0x1003n, rbp: 0x1004n, rbx: 0x1005n, r11: 0x1006n },
      ...{ r10: 0x1007n, r9: 0x1008n, r8: 0x1009n, rax: 0x100an, rcx: 0x100bn, rdx: 0x100cn, rsi: 0x100dn },
      ...{ rdi: 0x100en, rip: 0x1010n, cs: 0x1011n, eflags: 0x1012n, rsp: 0x1013n, ss: 0x1014n },
    });
  });

  test("QEMU's notes add control registers and bases to the same CPU", () => {
    const notes = concat([
      makePrstatus(1, 0x1000n),
      makePrstatus(2, 0x2000n),
      makeQemuNote(0x3000n),
      makeQemuNote(0x4000n),
    ]);
    const { cpuNotes } = parseNotes(notes);
    expect(cpuNotes.map((cpu) => [cpu.index, cpu.pid, cpu.registers.rip])).toEqual([
      [0, 1, 0x1010n],
      [1, 2, 0x2010n],
    ]);
    expect(cpuNotes[1]).toMatchObject({
      control: { cr0: 0xc000n, cr2: 0xc002n, cr3: 0xc003n, cr4: 0xc004n },
      segmentBases: { fs: 0x5e6003n, gs: 0x5e6004n, kernelGs: 0x6e6000n },
      idtBase: 0x5e6009n,
    });
  });

  test("QEMU's note alone gives the registers too", () => {
    const { cpuNotes } = parseNotes(makeQemuNote(0x3000n));
    expect(cpuNotes[0]!.registers).toMatchObject({ rax: 0x3000n, rsp: 0x3006n, rip: 0x3010n, cs: 0x10n, ss: 0x15n });
  });

  test("VMCOREINFO is found among others, and without its padding", () => {
    const notes = concat([
      makeNote("VMCOREINFO_XEN", 0, ascii("XEN=1\n")),
      makeNote("VMCOREINFO", 0, ascii("OSRELEASE=6.1\nX=y\n\0\0\0")),
    ]);
    expect(parseNotes(notes)).toMatchObject({ vmcoreinfo: "OSRELEASE=6.1\nX=y\n", damagedAt: null });
    const { offset, size } = parseNotes(notes).vmcoreinfoRange!;
    expect(vmcoreinfoText(notes.subarray(offset, offset + size))).toBe("OSRELEASE=6.1\nX=y\n");
  });

  test("zeros between notes, as the kernel leaves them, are passed over", () => {
    const notes = concat([makePrstatus(1, 1n), new Uint8Array(48), makePrstatus(2, 2n)]);
    expect(parseNotes(notes).cpuNotes.map((cpu) => cpu.pid)).toEqual([1, 2]);
  });

  test.each([
    ["a description past the end", (view: DataView) => view.setUint32(4, 0xffff_ff00, true)],
    ["a name past the end", (view: DataView) => view.setUint32(0, 0xffff_fff0, true)],
  ])("%s stops the reading there", (_what, damage) => {
    const first = makePrstatus(1, 1n);
    const second = makePrstatus(2, 2n);
    damage(new DataView(second.buffer));
    const parsed = parseNotes(concat([first, second]));
    expect(parsed.cpuNotes.map((cpu) => cpu.pid)).toEqual([1]);
    expect(parsed.damagedAt).toBe(first.length);
  });

  test("a PRSTATUS too short for registers is no CPU", () => {
    expect(parseNotes(makeNote("CORE", 1, new Uint8Array(100))).cpuNotes).toEqual([]);
  });
});
