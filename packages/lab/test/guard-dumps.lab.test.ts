/** Dumps of kernels that crash on extra stacks: the chain crosses every switch, and the diagnosis knows the pool. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backtrace, diagnose, openDump, openKernel } from "@spillway/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FileSource } from "../../cli/src/io/file-source.ts";
import { nodeCodecs } from "../../cli/src/io/node-codecs.ts";
import { onEveryKernel } from "./guard-lab.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spillway-guard-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

const open = (vmcore: string) => openKernel(openDump([new FileSource(vmcore)], { codecs: nodeCodecs }));

onEveryKernel((guest, series) => {
  test("an extra stack overflows, three switches deep: its guard page is hit, and the overflow is diagnosed", async () => {
    const vmcore = join(folder, `runaway-${series}`);
    const { console, ended } = await guest(
      "insmod /spillway.ko stacks=8 threshold=4000; echo runaway > $C/act; flow write /dev/cascade16 64 1",
      { vmcore, commandLine: "oops=panic" },
    );
    expect(ended).toBe("panic");
    expect(console).toMatch(/stack guard page|PANIC: double fault/);
    const kernel = open(vmcore);
    const diagnosis = diagnose(kernel, { path: vmcore });
    expect(diagnosis.verdict.kind).toBe("stack-overflow");
    expect(diagnosis.verdict.culprit?.function).toMatch(/^run_away/);
    expect(diagnosis.stack?.kind).toBe("extra");
    const trace = backtrace(kernel, { task: kernel.panic.task! });
    expect(trace.end).toBe("user");
    expect(trace.frames.filter((frame) => frame.function === "cascade_write")).toHaveLength(17);
  });

  test("an oops on an extra stack, with others asleep on theirs: who has which, and where the sleepers are", async () => {
    const vmcore = join(folder, `oops-${series}`);
    const { ended } = await guest(
      `
insmod /spillway.ko stacks=16 threshold=4000
# Refused first: a sleeper has the only stack. Six levels need exactly one, whatever the kernel's random offset is.
echo 1 > $S/total; echo 1 > $C/hold; flow write /dev/cascade6 64 1 & until_true holding 1; flow write /dev/cascade6 64 1; state refusals
echo 16 > $S/total; for i in 1 2; do flow write /dev/cascade12 64 $i & done; until_true holding 3; state in_use
echo 0 > $C/spin; echo oops > $C/act; flow write /dev/cascade16 64 1`,
      { vmcore, commandLine: "oops=panic" },
    );
    expect(ended).toBe("panic");
    const kernel = open(vmcore);
    const diagnosis = diagnose(kernel, { path: vmcore });
    expect(diagnosis.verdict.kind).toBe("not-stack-related");
    expect(diagnosis.verdict.culprit?.function).toMatch(/^cascade_write/);
    const trace = backtrace(kernel, { task: kernel.panic.task! });
    expect(trace.end).toBe("user");
    expect(trace.frames.filter((frame) => frame.function === "cascade_write")).toHaveLength(17);
    expect(
      new Set(trace.frames.map((frame) => frame.stack).filter((stack) => stack?.kind === "extra")).size,
    ).toBeGreaterThan(2);

    const pool = diagnosis.evidence.find(({ id }) => id === "extra-stacks")!.text;
    expect(pool).toMatch(
      /^spillway\.ko has 16 extra stacks, \d+ in use by 4 tasks; at most \d+ at a time; \d+ switches, 1 call refused/,
    );
    expect(diagnosis.evidence.find(({ id }) => id === "on-extra-stack")!.text).toMatch(
      /^The crashed task \(flow, PID \d+\) was on [3-6] extra stacks, one after the other\.$/,
    );
    const owners = new Set(kernel.extraStacks()!.stacks.flatMap((stack) => stack.owner ?? []));
    const levels = [...owners]
      .filter((task) => task !== kernel.panic.task)
      .map((task) => {
        const sleeper = backtrace(kernel, { task });
        expect(sleeper.end).toBe("user");
        return sleeper.frames.filter((frame) => frame.function === "cascade_write").length;
      });
    expect(levels.sort((a, b) => a - b)).toEqual([7, 13, 13]);
  });
});
