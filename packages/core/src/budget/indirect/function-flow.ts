/**
 * Follows values through the instructions of one function: what its registers and stack slots hold before each instruction,
 * until nothing changes any more. What follows from that (see function-facts.ts) is told once, in a last round.
 */
import type { CodeColumns } from "../../code/code-columns.ts";
import type { OrderedBlocks } from "./block-columns.ts";
import type { FlowListener, FlowQuestions } from "./flow-questions.ts";
import { ALL_REGISTERS, InstructionFlow, type State } from "./instruction-flow.ts";
import { LiveRegisters } from "./live-registers.ts";
import { ALL_PLACES, LoopBlocks } from "./loop-blocks.ts";
import { RecordedEvents } from "./recorded-events.ts";
import type { Value, Values } from "./values.ts";

/** Runs of one block with different states; a value keeps a few atoms only, so that this is never met but by design. */
const MOST_RUNS = 12;

export class FunctionFlow {
  readonly #instructions: InstructionFlow;
  readonly #loopBlocks = new LoopBlocks();
  readonly #live = new LiveRegisters();
  readonly #events: RecordedEvents;
  readonly #states: (State | null)[] = [];

  constructor(values: Values) {
    this.#instructions = new InstructionFlow(values);
    this.#events = new RecordedEvents(values);
  }

  run(code: CodeColumns, blocks: OrderedBlocks, questions: FlowQuestions, listener: FlowListener): void {
    if (code.count === 0) return;
    this.#instructions.begin(code, questions);
    this.#live.find(code, blocks, questions);
    // A block's state is gone once it was run: all are null again at the end.
    const states = this.#states;
    while (states.length < blocks.count) states.push(null);
    states[blocks.entry] = this.#instructions.entryState();
    // The state of each block is final once those before it are, but in loops.
    for (let block = 0; block < blocks.count; ) {
      const last = blocks.loopEnd[block]!;
      if (last >= block) {
        this.#loop(blocks, block, last, states, listener);
        block = last + 1;
        continue;
      }
      // Code that only a table of jumps, an exception or an alternative leads to.
      states[block] ??= this.#instructions.lostState(block);
      this.#instructions.listener = listener;
      this.#instructions.registers = states[block] as Value[];
      states[block] = null;
      this.#propagate(blocks, block, states);
      block++;
    }
  }

  /** Blocks `first` to `last`, each of which leads to all others, until nothing changes. */
  #loop(blocks: OrderedBlocks, first: number, last: number, states: (State | null)[], listener: FlowListener): void {
    const loop = this.#loopBlocks;
    loop.begin(first, last);
    for (let block = first; block <= last; block++) if (states[block] !== null) loop.renew(block);
    if (loop.left === 0) {
      states[first] = this.#instructions.lostState(first);
      loop.renew(first);
    }
    this.#events.clear(last);
    this.#instructions.listener = this.#events;
    while (loop.left > 0) {
      for (let block = first; block <= last; block++) {
        if (!loop.take(block)) continue;
        if (loop.runs[block]! >= MOST_RUNS) {
          loop.isToRun[block] = 1;
          continue;
        }
        loop.runs[block]!++;
        if (loop.reads(block)) this.#runInLoop(blocks, block, last, states);
        else this.#passOn(blocks, block, last, states);
      }
    }
    this.#instructions.listener = listener;
    for (let block = first; block <= last; block++) {
      if (loop.isToRun[block] === 0) this.#events.tell(block, listener);
      else {
        this.#instructions.registers = states[block] as Value[];
        this.#runBlock(blocks, block);
      }
      states[block] = null;
    }
  }

  /** Runs a block of a loop that ends with block `last`, and hands its end state on to blocks that are to be run then. */
  #runInLoop(blocks: OrderedBlocks, block: number, last: number, states: (State | null)[]): void {
    const [loop, instructions] = [this.#loopBlocks, this.#instructions];
    loop.changedLow[block] = 0;
    loop.changedHigh[block] = 0;
    instructions.registers = (states[block] as Value[]).slice();
    instructions.watchSlots();
    this.#events.begin(block);
    this.#runBlock(blocks, block);
    this.#noteEffects(block);
    const end = blocks.edgeStart[block + 1]!;
    for (let edge = blocks.edgeStart[block]!; edge < end; edge++) {
      const to = blocks.edges[edge]!;
      const known = states[to];
      if (known == null) {
        // The last one to get it may keep it.
        states[to] = edge === end - 1 ? instructions.registers : instructions.registers.slice();
        if (to <= last) loop.renew(to);
      } else if (instructions.merge(known, this.#live.live[to]!) && to <= last) {
        loop.change(to, instructions.changed.low, instructions.changed.high);
      }
    }
  }

  /** What the block did; registers are read and written whatever is in them. */
  #noteEffects(block: number): void {
    const { read, written, readsElsewhere } = this.#instructions;
    // What lies on the stack outside of slots is not part of the state: it can have changed whenever the block is run.
    this.#loopBlocks.isToRun[block] = readsElsewhere ? 1 : 0;
    if (readsElsewhere) {
      this.#loopBlocks.ran(block, ALL_PLACES, ALL_PLACES, 0, 0);
      return;
    }
    const reads = read.low | this.#live.reads[block]! | this.#live.tells[block]!;
    const writes = written.low | this.#live.writes[block]!;
    this.#loopBlocks.ran(block, reads, read.high, writes, written.high);
  }

  /** A block that reads nothing of what changed would come to the same end again, but for what goes through it. */
  #passOn(blocks: OrderedBlocks, block: number, last: number, states: (State | null)[]): void {
    const [loop, instructions] = [this.#loopBlocks, this.#instructions];
    const low = loop.changedLow[block]! & ~loop.writtenLow[block]!;
    const high = loop.changedHigh[block]! & ~loop.writtenHigh[block]!;
    loop.changedLow[block] = 0;
    loop.changedHigh[block] = 0;
    if (low === 0 && high === 0) return;
    for (let edge = blocks.edgeStart[block]!; edge < blocks.edgeStart[block + 1]!; edge++) {
      const to = blocks.edges[edge]!;
      const wanted = low & (this.#live.live[to]! | ~ALL_REGISTERS);
      if (instructions.mergeSome(states[block]!, states[to]!, wanted, high) && to <= last) {
        loop.change(to, instructions.changed.low, instructions.changed.high);
      }
    }
  }

  /** Runs a block from the present state and hands its end state on. */
  #propagate(blocks: OrderedBlocks, block: number, states: (State | null)[]): void {
    this.#runBlock(blocks, block);
    const end = blocks.edgeStart[block + 1]!;
    for (let edge = blocks.edgeStart[block]!; edge < end; edge++) {
      const to = blocks.edges[edge]!;
      const known = states[to];
      // The last one to get it may keep it.
      if (known == null)
        states[to] = edge === end - 1 ? this.#instructions.registers : this.#instructions.registers.slice();
      else this.#instructions.merge(known, this.#live.live[to]!);
    }
  }

  #runBlock(blocks: OrderedBlocks, block: number): void {
    for (let at = blocks.first[block]!; at < blocks.end[block]!; at++) this.#instructions.step(at);
  }
}
