/** One report of a log, put together from the lines that belong to it. */
import { nowhere } from "./code-place.ts";
import { CodeState } from "./code-state.ts";
import { panicMessage } from "./headlines.ts";
import { KasanReader } from "./kasan-line.ts";
import type { LogLine } from "./log-line.ts";
import { readProcessLine } from "./process-line.ts";
import { ProcessState } from "./process-state.ts";
import { archOf, type RegisterLine, readRegisterLine } from "./register-line.ts";
import { RegisterState } from "./register-state.ts";
import type { ConsoleCrash, Headline, PrintedStack } from "./report.ts";
import { readStackRange, readStackWords } from "./stack-line.ts";
import { TraceState } from "./trace-state.ts";

const MAX_WORDS = 4096;
const MAX_FURTHER = 32;

/** Lines that end a trace: what follows is about something else, even where it looks like a trace. */
const TRACE_ENDS =
  /^(?:---\[ end|Modules linked in|Kernel Offset|Allocated by|Freed by|Last (?:potentially|Breaking)|The buggy address|Memory state|Showing all locks|Lock(?:s|dep)|Instruction dump|Rebooting in|=====|irq event stamp|Dumping ftrace|Mem-Info|addr=|stack backtrace:)/;
/** Lines that belong to reports and say nothing that is kept. */
const KNOWN =
  /^(?:PGD |P4D |#PF|PKRU|DR\d|FS: |CS: |DS: |Hardware name|Tainted: |last sysfs|task: |Call Trace|\(?_*ptrval|[0-9a-f]{16}: [0-9a-f]{16}|unwind stack type|------------\[|Mem abort| {1,2}ESR|EC =|SET =|EA =|Data abort|ISV =|CM =|user pgtable|swapper pgtable|\[[0-9a-f]{16}\] pgd=|SMP\b|<\/?[A-Z]+>)/;

export class CrashBuilder {
  readonly headline: Headline;
  readonly #further: Headline[] = [];
  #panic: string | null = null;
  readonly #from: number;
  #to: number;
  #time: number | null;
  readonly #process = new ProcessState();
  #workqueue: string | null = null;
  #errorCode: number | null = null;
  readonly #registers = new RegisterState();
  /** Whose the register lines are that come now: the crash's, an exception's within the trace, the user's. */
  #into: "crash" | "frame" | "user" = "crash";
  /** The user's program counter was printed and its stack pointer not yet: a `Code:` line here is the user's. */
  #userCode = false;
  readonly #code = new CodeState();
  readonly #traces = new TraceState();
  readonly #words: bigint[] = [];
  #inWords = false;
  readonly #stacks: PrintedStack[] = [];
  readonly #kasan: KasanReader | null;
  readonly #modules: string[] = [];
  readonly #tainted: { name: string; taints: string }[] = [];
  #arch: string | null = null;
  #interleaved = false;
  #ended = false;

  constructor(headline: Headline, line: LogLine) {
    this.headline = headline;
    this.#from = line.index;
    this.#to = line.index + 1;
    this.#time = line.time;
    this.#kasan = headline.kind === "kasan" ? new KasanReader(headline.detail ?? "", headline.address) : null;
    this.#heading(headline);
  }

  /** Has it registers or a trace, so that a new statement is rather about something new? */
  get hasBody(): boolean {
    return this.#registers.hasPc || this.#traces.entries > 0;
  }

  get traceBegun(): boolean {
    return this.#traces.isOpen;
  }

  /** Is it in the midst of a trace? */
  get inTrace(): boolean {
    return this.#traces.isOpen && this.#traces.entries > 0 && !this.#traces.userReached;
  }

  get hasDie(): boolean {
    return [this.headline, ...this.#further].some((one) => /\[#\d+\]/.test(one.text));
  }

  get panicked(): boolean {
    return this.#panic !== null;
  }

  get kinds(): ReadonlySet<Headline["kind"]> {
    return new Set([this.headline.kind, ...this.#further.map((one) => one.kind)]);
  }

  addHeadline(headline: Headline, line: LogLine): void {
    this.#to = line.index + 1;
    if (this.#further.length < MAX_FURTHER) this.#further.push(headline);
    this.#heading(headline);
  }

  /** What a headline holds besides its statement. */
  #heading(headline: Headline): void {
    this.#panic ??= panicMessage(headline.text);
    const code = /(?:Oops|fault|error_code)[^\n]{0,40}?: (?:0x)?([0-9a-f]{4,8})\b/.exec(headline.text);
    if (code !== null) this.#errorCode ??= Number.parseInt(code[1]!, 16);
    const stack = readStackRange(headline.text);
    if (stack !== null) this.#stacks.push(stack);
    const task = readProcessLine(headline.text);
    if (task !== null && headline.kind !== "other") this.#process.add(task, null);
    // "Unable to handle kernel … RIP:" of 2.6 goes on with the place on the next line.
    if (headline.kind !== "panic") this.#traces.close();
  }

  /** Reads one line. @returns whether it belonged to a report */
  push(line: LogLine): boolean {
    const used = this.#read(line);
    if (used) this.#to = line.index + 1;
    return used;
  }

  #read({ text, index }: LogLine): boolean {
    if (text === "") return false;
    if (this.#continues(text)) return true;
    if (this.#traces.begin(text, index)) {
      this.#into = "frame";
      return true;
    }
    if (TRACE_ENDS.test(text)) {
      this.#traces.close();
      if (text.startsWith("---[ end")) this.#ended = true;
      this.#modulesFrom(text);
      return true;
    }
    if (this.#kasan?.push(text)) return true;
    if (this.#process.push(text)) {
      const stack = readStackRange(text);
      if (stack !== null) this.#stacks.push(stack);
      if (this.#traces.isOpen && this.#traces.entries > 0) this.#traces.close();
      return true;
    }
    if (this.#code.push(text, this.#userCode)) return true;
    const registers = readRegisterLine(text);
    if (registers !== null) return this.#readRegisters(registers, index);
    if (this.#traces.push(text, index)) return true;
    if (/^(?:Stack:|Process |task: )/.test(text) || text.includes(" stack")) {
      const stack = readStackRange(text);
      if (stack !== null) {
        if (this.#stacks.length < 16) this.#stacks.push(stack);
        return true;
      }
    }
    if (text.startsWith("Stack:")) {
      this.#inWords = true;
      this.#pushWords(text);
      return true;
    }
    const workqueue = /^Workqueue: (.{1,120})$/.exec(text);
    if (workqueue !== null) {
      this.#workqueue ??= workqueue[1]!;
      return true;
    }
    const error = /^#PF: error_code\(0x([0-9a-f]{1,8})\)/.exec(text);
    if (error !== null) this.#errorCode ??= Number.parseInt(error[1]!, 16);
    // A trace whose first line was lost.
    if (/^<(?:TASK|IRQ|NMI|#DF)>$/.test(text)) {
      this.#traces.begin("Call Trace:", index);
      this.#into = "frame";
      return this.#traces.push(text, index);
    }
    return KNOWN.test(text);
  }

  /** Lines that only mean something behind another one. */
  #continues(text: string): boolean {
    if (this.#inWords) {
      if (this.#pushWords(text)) return true;
      this.#inWords = false;
    }
    return this.#code.continue(text);
  }

  #pushWords(text: string): boolean {
    const words = readStackWords(text);
    if (words === null) return text === "Stack:";
    if (this.#words.length < MAX_WORDS) this.#words.push(...words);
    return true;
  }

  #readRegisters(read: RegisterLine, index: number): boolean {
    if (this.#arch === null && read.values.length > 0) this.#arch = archOf(new Map(read.values));
    if (read.pc !== null || read.userMode !== null) {
      this.#userCode = read.userMode === true;
      if (this.#traces.isOpen) {
        this.#into = read.userMode === true ? "user" : "frame";
        if (read.userMode === true) this.#traces.reachUser();
        else if (read.pc !== null && read.pc.function !== null) this.#traces.interrupted(read.pc, index);
        else if (read.pc !== null) this.#traces.interrupted({ ...nowhere, address: read.pc.address }, index);
      } else if (this.#registers.hasPc && this.hasBody && this.#traces.entries > 0) {
        // The same registers again, behind the trace.
        this.#into = "user";
      } else if (read.userMode === true && this.#registers.hasPc) {
        this.#into = "user";
      } else this.#into = "crash";
    }
    const sp = read.values.find(([name]) => name === "rsp" || name === "esp")?.[1];
    if (sp !== undefined) this.#userCode = false;
    if (this.#into === "crash") {
      this.#registers.push(read, index);
      if (this.#registers.conflicts > 0) this.#interleaved = true;
    } else if (this.#into === "frame" && this.#traces.isOpen) {
      if (sp !== undefined) this.#traces.interruptedSp(sp);
      // arm prints its registers in front of the trace, powerpc its link register; x86 of 4.x CR2 behind it.
    }
    return true;
  }

  #modulesFrom(text: string): void {
    const list = /^Modules linked in:\s*(.*)/.exec(text)?.[1];
    if (list === undefined || this.#modules.length > 0) return;
    for (const word of list.split(/\s+/).slice(0, 1024)) {
      const module = /^([\w-]{1,64})(?:\(([A-Z]{1,8})[+-]?\))?/.exec(word);
      if (module === null) continue;
      this.#modules.push(module[1]!);
      if (module[2] !== undefined) this.#tainted.push({ name: module[1]!, taints: module[2] });
    }
  }

  /** @param cut the log ended, or the machine booted anew, before the report was complete */
  build(cut: boolean): ConsoleCrash {
    const address = this.headline.address ?? this.#further.find((one) => one.address !== null)?.address ?? null;
    const registers = this.#registers.dump(address, this.#errorCode);
    const traces = this.#traces.traces();
    return {
      headline: this.headline,
      further: this.#further,
      panic: this.#panic,
      from: this.#from,
      to: this.#to,
      time: this.#time,
      ...this.#process.facts(),
      workqueue: this.#workqueue,
      registers,
      code: this.#code.code(),
      traces,
      stackWords: this.#words,
      stackAt: this.#words.length === 0 ? null : (registers?.sp ?? null),
      stacks: this.#stacks,
      kasan: this.#kasan?.report() ?? null,
      modules: this.#modules,
      taintedModules: this.#tainted,
      arch: registers === null ? this.#arch : (archOf(registers.registers) ?? this.#arch),
      interleaved: this.#interleaved,
      cut: cut && !this.#ended && (traces.length === 0 || !traces[0]!.reachesUser),
    };
  }
}
