import { randomStreams } from "../random/random-stream.ts";
import { Draws, gapDraws, holdDraws } from "./draws.ts";
import { EventHeap } from "./event-heap.ts";
import { FreeLists } from "./free-lists.ts";
import { MAX_LEVELS, type PoolModel } from "./model.ts";
import { Tally } from "./tally.ts";
import { WaitingLine } from "./waiting-line.ts";

/** What a task does when its time in the heap has come. */
const ARRIVES = 0;
const NESTS = 1;
const RETURNS = 2;

/** More tasks than this never wait: the pool cannot keep up. */
const LONGEST_LINE = 1 << 20;

/** No number: only some models draw from a law. */
const NONE = new Draws(() => {});

/**
 * Tasks and a pool, from one event to the next. An event is an arrival at a critical point, a further (nested) crossing, or a return. A task is a
 * slot in the columns below; slots are used again.
 */
export class PoolRun {
  /** Seconds since the beginning. */
  now = 0;
  tally: Tally;
  /** Tasks that wait came to more than can be kept: there is no steady state. */
  unstable = false;

  readonly #model: PoolModel;
  readonly #heap: EventHeap;
  readonly #pool: FreeLists;
  readonly #line = new WaitingLine();
  readonly #gaps: Draws;
  readonly #holds: Draws;
  readonly #sleeps: Draws;
  readonly #thinks: Draws;
  readonly #chances;
  /** When the next task of endlessly many arrives; Infinity where there are so many tasks, or a trace is over. */
  #nextArrival: number;
  /** Tasks that hold a stack and do not wait: while there is one, a stack will come free. */
  #running = 0;
  #inUse = 0;

  /** Columns by slot. */
  #phase: Uint8Array;
  #levels: Uint8Array;
  #cpu: Uint16Array;
  /** Seconds that the stack which it takes, or waits for, will be held. */
  #hold: Float64Array;
  #waitsSince: Float64Array;
  /** By slot and level: seconds that a level has left to run once the one upon it has returned. */
  #remaining: Float64Array;
  #freeSlots: Int32Array;
  #freeSlotCount: number;

  constructor(model: PoolModel, seed: number) {
    this.#model = model;
    const [arrivals, holds, sleeps, chances, cpus] = randomStreams(seed, 5);
    this.#chances = chances!;
    this.#pool = new FreeLists(model.stacks, model.cpus, cpus!);
    this.tally = new Tally(model.stacks);
    const traced = model.arrivals.kind === "trace" ? model.arrivals.holds : null;
    const gaps = gapDraws(model.arrivals, arrivals!);
    this.#gaps = gaps;
    this.#holds = holdDraws(model.hold, holds!, traced);
    this.#sleeps = model.sleep === null ? NONE : holdDraws(model.sleep.law, sleeps!, null);
    this.#thinks = gaps;

    const slots = model.tasks ?? Math.min(model.stacks + 64, 4096);
    this.#phase = new Uint8Array(slots);
    this.#levels = new Uint8Array(slots);
    this.#cpu = new Uint16Array(slots);
    this.#hold = new Float64Array(slots);
    this.#waitsSince = new Float64Array(slots);
    this.#remaining = new Float64Array(model.nest > 0 ? slots * MAX_LEVELS : 0);
    this.#freeSlots = new Int32Array(slots);
    this.#freeSlotCount = 0;
    this.#heap = new EventHeap(slots);
    if (model.tasks === null) {
      for (let slot = slots - 1; slot >= 0; slot--) this.#freeSlots[this.#freeSlotCount++] = slot;
      this.#nextArrival = gaps.next();
    } else {
      for (let task = 0; task < slots; task++) this.#heap.push(this.#thinks.next(), task);
      this.#nextArrival = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Lets so many events happen, or so many arrivals with whatever happens between them.
   * @returns how many did: fewer where nothing is left to happen, or the pool cannot keep up
   */
  advance(count: number, onlyArrivals: boolean): number {
    let done = 0;
    while (done < count && !this.unstable) {
      const next = this.#heap.next;
      if (this.#nextArrival < next) {
        this.#passTo(this.#nextArrival);
        this.#nextArrival += this.#gaps.next();
        this.#arrive(-1);
        done++;
        continue;
      }
      if (next === Number.POSITIVE_INFINITY) break;
      this.#passTo(next);
      const slot = this.#heap.pop();
      const phase = this.#phase[slot]!;
      if (phase === RETURNS) this.#return(slot);
      else if (phase === NESTS) this.#cross(slot);
      else this.#arrive(slot);
      if (!onlyArrivals) done++;
    }
    return done;
  }

  /** The warm-up is over: counting begins. */
  beginCounting(): void {
    this.tally = new Tally(this.#model.stacks);
    this.tally.highWater = this.#inUse;
  }

  #passTo(time: number): void {
    const elapsed = time - this.now;
    const { tally } = this;
    tally.area += elapsed * this.#inUse;
    tally.seconds += elapsed;
    tally.timeWith[this.#inUse]! += elapsed;
    this.now = time;
  }

  /** A task comes to a critical point. @param task its slot; -1 for one of endlessly many, which has none yet */
  #arrive(task: number): void {
    this.tally.calls++;
    const { deep, policy } = this.#model;
    // Drawn whether it is needed or not: who holds how long must not depend on who is refused, or pools could not be compared.
    const hold = this.#holds.next();
    if (deep < 1 && this.#chances.uniform() >= deep) {
      if (task >= 0) this.#think(task);
      return;
    }
    this.#see();
    if (this.#pool.free === 0 && policy === "eio") {
      this.tally.refused++;
      if (task >= 0) this.#think(task);
      return;
    }
    const slot = task >= 0 ? task : this.#newSlot();
    this.#levels[slot] = 0;
    this.#hold[slot] = hold;
    this.#cpu[slot] = this.#pool.anyCpu();
    this.#takeOrWait(slot);
  }

  /** A task that is on an extra stack comes to need a further one. */
  #cross(slot: number): void {
    const { tally } = this;
    this.#see();
    tally.nestedAttempts++;
    this.#running--;
    if (this.#levels[slot] === MAX_LEVELS || (this.#pool.free === 0 && this.#model.policy === "eio")) {
      tally.refused++;
      tally.nestedRefused++;
      // The error goes up the call chain, and all stacks on its way come back.
      while (this.#levels[slot]! > 0) this.#release(slot);
      this.#leave(slot);
      return;
    }
    this.#hold[slot] = this.#holds.next();
    this.#takeOrWait(slot);
  }

  #see(): void {
    const { tally } = this;
    tally.attempts++;
    tally.seen += this.#inUse;
    if (tally.seenWith !== null) tally.seenWith[this.#inUse]!++;
    tally.seenSquares += this.#inUse * this.#inUse;
  }

  #takeOrWait(slot: number): void {
    if (this.#pool.free > 0) {
      this.#take(slot);
      return;
    }
    this.#waitsSince[slot] = this.now;
    this.#line.add(slot);
    if (this.#line.length > this.tally.longestQueue) this.tally.longestQueue = this.#line.length;
    if (this.#running === 0 && this.#model.stacks > 0) this.#deadlock();
    else if (this.#line.length >= LONGEST_LINE) this.unstable = true;
  }

  /** Gives a free stack to a task, which begins a level on it. */
  #take(slot: number): void {
    const { tally } = this;
    if (this.#pool.take(this.#cpu[slot]!)) tally.steals++;
    this.#inUse++;
    if (this.#inUse > tally.highWater) tally.highWater = this.#inUse;
    this.#running++;
    const level = this.#levels[slot]!;
    this.#levels[slot] = level + 1;

    let hold = this.#hold[slot]!;
    const { sleep, nest } = this.#model;
    if (sleep !== null && this.#chances.uniform() < sleep.probability) {
      hold += this.#sleeps.next();
      this.#cpu[slot] = this.#pool.anyCpu();
    }
    tally.holds++;
    tally.holdTime += hold;
    if (nest > 0 && this.#chances.uniform() < nest) {
      const before = hold * this.#chances.uniform();
      this.#remaining[slot * MAX_LEVELS + level] = hold - before;
      this.#phase[slot] = NESTS;
      this.#heap.push(this.now + before, slot);
      return;
    }
    this.#phase[slot] = RETURNS;
    this.#heap.push(this.now + hold, slot);
  }

  /** The uppermost level of a task is done. */
  #return(slot: number): void {
    this.#running--;
    this.#release(slot);
    const levels = this.#levels[slot]!;
    if (levels === 0) {
      this.#leave(slot);
      return;
    }
    this.#running++;
    this.#heap.push(this.now + this.#remaining[slot * MAX_LEVELS + levels - 1]!, slot);
  }

  /** Gives one stack back, to whoever waits first. */
  #release(slot: number): void {
    this.#levels[slot]!--;
    this.#inUse--;
    this.#pool.giveBack(this.#cpu[slot]!);
    if (this.#line.length === 0) return;
    const { tally } = this;
    const first = this.#line.take();
    const wait = this.now - this.#waitsSince[first]!;
    tally.waited++;
    tally.waitTime += wait;
    if (wait > tally.longestWait) tally.longestWait = wait;
    this.#take(first);
  }

  #leave(slot: number): void {
    if (this.#model.tasks !== null) this.#think(slot);
    else this.#freeSlots[this.#freeSlotCount++] = slot;
  }

  #think(task: number): void {
    this.#phase[task] = ARRIVES;
    this.#heap.push(this.now + this.#thinks.next(), task);
  }

  /** Every stack is held by a task that waits for one: nobody will ever run again. Counted, and the machine begins anew. */
  #deadlock(): void {
    const { tally } = this;
    tally.deadlocks++;
    tally.deadlockedTasks += this.#line.length;
    while (this.#line.length > 0) {
      const slot = this.#line.take();
      for (; this.#levels[slot]! > 0; this.#levels[slot]!--) {
        this.#inUse--;
        this.#pool.giveBack(this.#cpu[slot]!);
      }
      this.#leave(slot);
    }
  }

  #newSlot(): number {
    if (this.#freeSlotCount === 0) this.#moreSlots();
    return this.#freeSlots[--this.#freeSlotCount]!;
  }

  #moreSlots(): void {
    const had = this.#phase.length;
    const larger = <T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(column: T): T => {
      const copy = new (column.constructor as new (length: number) => T)(2 * column.length);
      copy.set(column);
      return copy;
    };
    this.#phase = larger(this.#phase);
    this.#levels = larger(this.#levels);
    this.#cpu = larger(this.#cpu);
    this.#hold = larger(this.#hold);
    this.#waitsSince = larger(this.#waitsSince);
    this.#remaining = larger(this.#remaining);
    this.#freeSlots = larger(this.#freeSlots);
    for (let slot = 2 * had - 1; slot >= had; slot--) this.#freeSlots[this.#freeSlotCount++] = slot;
  }
}
