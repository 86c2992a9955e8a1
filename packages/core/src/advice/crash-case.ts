/** The findings as the rules look at them: names written out, frames with their sizes. */
import type { DiagnosisFrame } from "../diagnose/diagnosis.ts";
import type { OptionName, OptionState } from "../kernel/option-state.ts";
import type { AdviceContext, Findings } from "./advice-input.ts";

export interface SizedFrame {
  readonly frame: DiagnosisFrame;
  readonly name: string;
  /** Bytes of stack, return address included. */
  readonly bytes: number;
}

export interface CrashCase {
  readonly findings: Findings;
  readonly context: AdviceContext;
  readonly verdict: Findings["verdict"];
  /** "parse_value [vandal]"; null where no culprit is named. */
  readonly culprit: string | null;
  /** The frame whose canary check failed. */
  readonly detector: DiagnosisFrame | null;
  /** THREAD_SIZE or the size of whatever stack it is about; null where not known. */
  readonly stackSize: number | null;
  /** Frames on that stack whose size is known, largest first. */
  readonly sized: readonly SizedFrame[];
  option(name: OptionName): OptionState;
  evidenceAt(id: string): bigint | null;
  has(id: string): boolean;
}

/** Code by name: a culprit, a frame. */
export interface Code {
  readonly function: string | null;
  readonly module: string | null;
  readonly address?: string | null;
}

export function nameOf(code: Code): string {
  const name = code.function ?? code.address ?? "unknown code";
  return code.module === null ? name : `${name} [${code.module}]`;
}

/**
 * System call entry: its frame holds the random offset of CONFIG_RANDOMIZE_KSTACK_OFFSET (5.13) and, for what the trace
 * ends with, the saved registers of user mode. Nobody's local variables.
 */
const ENTRY = /^(do_syscall_64|x64_sys_call|do_int80_\w+|__do_fast_syscall_32|entry_\w+|asm_\w+|ret_from_fork\w*)$/;

function address(text: string | null | undefined): bigint | null {
  return text != null && /^0x[0-9a-f]{1,16}$/i.test(text) ? BigInt(text) : null;
}

function sizedFrames(findings: Findings): SizedFrame[] {
  const low = address(findings.stack?.low);
  const high = address(findings.stack?.high);
  const sized: SizedFrame[] = [];
  if (low === null || high === null) return sized;
  const reach = high - low;
  const within = (sp: bigint | null): sp is bigint => sp !== null && sp < high && sp >= low - reach;
  for (const [index, frame] of findings.frames.entries()) {
    const sp = address(frame.sp);
    const outer = address(findings.frames[index + 1]?.sp);
    if (!within(sp) || !within(outer) || outer <= sp || frame.inlined) continue;
    if (frame.function === null || ENTRY.test(frame.function)) continue;
    sized.push({ frame, name: nameOf(frame), bytes: Number(outer - sp) });
  }
  return sized.sort((a, b) => b.bytes - a.bytes);
}

export function crashCase(findings: Findings, context: AdviceContext): CrashCase {
  const { verdict, frames, stack, evidence } = findings;
  const check = frames.findIndex((frame) => frame.function === "__stack_chk_fail");
  const low = address(stack?.low);
  const high = address(stack?.high);
  return {
    findings,
    context,
    verdict,
    culprit: verdict.culprit === null ? null : nameOf(verdict.culprit),
    detector: check < 0 ? null : (frames.slice(check + 1).find((frame) => !frame.inlined) ?? null),
    stackSize: low === null || high === null || high <= low ? null : Number(high - low),
    sized: sizedFrames(findings),
    option: (name) => context.options.state(name),
    evidenceAt: (id) => address(evidence.find((item) => item.id === id)?.address),
    has: (id) => evidence.some((item) => item.id === id),
  };
}

/** 16,384 */
export function thousands(value: number): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** "a, b and c" */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** " (the kernel has no kasan_report)": how an option's state is known. */
export function known(option: OptionState): string {
  return option.evidence === null ? "" : ` (${option.evidence})`;
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
