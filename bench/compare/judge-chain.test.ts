import { describe, expect, it } from "vitest";
import { type ChainTruth, describeJudgement, judgeChain, plainName } from "./judge-chain.ts";
import type { PeerChain } from "./peer-chain.ts";

/** "a b (c)": frames from the innermost, an inlined one in brackets. */
function chain(text: string): PeerChain {
  const frames = text
    .split(" ")
    .map((word) => ({ function: word.replace(/[()]/g, ""), inlined: word.startsWith("(") }));
  return { frames, error: null };
}

const truth: ChainTruth = {
  chain: ["average", "measure", "ksys_write", "do_syscall_64"],
  absent: ["unpack"],
  cycle: [],
};

describe("judgeChain", () => {
  it.each([
    ["panic average measure ksys_write do_syscall_64 entry_SYSCALL_64_after_hwframe", "right"],
    ["panic (any) average.isra.0 (inlined) measure ksys_write __x64_sys_write x64_sys_call do_syscall_64", "right"],
    ["average measure ksys_write", "WRONG: lacks do_syscall_64"],
    ["average ksys_write do_syscall_64", "WRONG: lacks measure"],
    ["measure average ksys_write do_syscall_64", "WRONG: lacks measure"],
    ["unpack average measure ksys_write do_syscall_64", "WRONG: stale unpack"],
    ["average do_truncate measure ksys_write do_syscall_64", "WRONG: stale do_truncate"],
    [
      "average measure ksys_write do_syscall_64 do_fault handle_mm_fault x",
      "WRONG: stale do_fault, handle_mm_fault + 1",
    ],
    ["average measure ksys_write do_syscall_64 do_syscall_64", "WRONG: stale do_syscall_64"],
    ["average 0xffffffff81234567 measure ksys_write do_syscall_64", "WRONG: stale 0xffffffff81234567"],
    ["panic", "WRONG: lacks average"],
  ])("%s: %s", (frames, expected) => expect(describeJudgement(judgeChain(chain(frames), truth))).toBe(expected));

  it("takes a recursion of any length", () => {
    const recursion = { chain: ["walk", "walk", "walk", "start"], absent: [], cycle: ["walk"] };
    expect(judgeChain(chain("walk walk walk walk walk start"), recursion).right).toBe(true);
    expect(judgeChain(chain("walk walk start"), recursion)).toMatchObject({ right: false, missing: "walk" });
  });

  it("is not swayed by a complaint when the chain is right", () =>
    expect(
      describeJudgement(judgeChain({ ...chain("average measure ksys_write do_syscall_64"), error: "bt: oops" }, truth)),
    ).toBe("right"));

  it("shows the complaint when it is wrong", () =>
    expect(describeJudgement(judgeChain({ frames: [], error: "exit status 1" }, truth))).toBe(
      "WRONG: lacks average; exit status 1",
    ));
});

describe("plainName", () => {
  it.each([
    ["walk.isra.0", "walk"],
    ["walk.constprop.0.isra.0", "walk"],
    ["__handle_sysrq.cold", "__handle_sysrq"],
    ["do_softirq.part.0", "do_softirq"],
    ["x64_sys_call", "x64_sys_call"],
  ])("%s is %s", (name, plain) => expect(plainName(name)).toBe(plain));
});
