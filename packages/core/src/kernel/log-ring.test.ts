import { describe, expect, it } from "vitest";
import { fakeContext } from "./context.fixture.ts";
import { formatLogRecord, readLog } from "./log.ts";
import { FakeMemory } from "./memory.fixture.ts";

const BASE = 0xffffffff82000000n;
const RING = BASE + 0x100n;
const DESCS = BASE + 0x1000n;
const INFOS = BASE + 0x2000n;
const DATA = BASE + 0x8000n;

/** What 6.1's VMCOREINFO says of the ring buffer. */
const OFFSETS = {
  "SYMBOL(prb)": BASE.toString(16),
  "OFFSET(printk_ringbuffer.desc_ring)": "0",
  "OFFSET(printk_ringbuffer.text_data_ring)": "48",
  "OFFSET(prb_desc_ring.count_bits)": "0",
  "OFFSET(prb_desc_ring.descs)": "8",
  "OFFSET(prb_desc_ring.infos)": "16",
  "OFFSET(prb_desc_ring.head_id)": "24",
  "OFFSET(prb_desc_ring.tail_id)": "32",
  "OFFSET(prb_data_ring.size_bits)": "0",
  "OFFSET(prb_data_ring.data)": "8",
  "OFFSET(prb_desc.state_var)": "0",
  "OFFSET(prb_desc.text_blk_lpos)": "8",
  "OFFSET(prb_data_blk_lpos.begin)": "0",
  "OFFSET(prb_data_blk_lpos.next)": "8",
  "OFFSET(printk_info.ts_nsec)": "8",
  "OFFSET(printk_info.text_len)": "16",
  "OFFSET(printk_info.caller_id)": "20",
  "SIZE(prb_desc)": "24",
  "SIZE(printk_info)": "88",
};
const RESERVED = 0n;
const COMMITTED = 1n;
const FINALIZED = 2n;
const REUSABLE = 3n;

interface Entry {
  readonly id: bigint;
  readonly state: bigint;
  readonly begin: bigint;
  readonly next: bigint;
  readonly text: string;
  readonly length?: number;
  readonly caller?: number;
}

/** A ring of 8 descriptors and 64 bytes of text. */
function ring(tail: bigint, head: bigint, entries: readonly Entry[]) {
  const memory = new FakeMemory();
  memory.map(BASE, 0x10000);
  memory.write64(BASE, RING);
  memory.write32(RING, 3);
  memory.write64(RING + 8n, DESCS);
  memory.write64(RING + 16n, INFOS);
  memory.write64(RING + 24n, head);
  memory.write64(RING + 32n, tail);
  memory.write32(RING + 48n, 6);
  memory.write64(RING + 56n, DATA);
  for (const { id, state, begin, next, text, length, caller } of entries) {
    const desc = DESCS + (id & 7n) * 24n;
    memory.write64(desc, (state << 62n) | id);
    memory.write64(desc + 8n, begin);
    memory.write64(desc + 16n, next);
    const info = INFOS + (id & 7n) * 88n;
    memory.write64(info + 8n, id * 1_000_000_000n);
    memory.write32(info + 16n, (length ?? text.length) | (0xc0 << 24)); // level 6 in the upper bits of the 4th byte
    memory.write32(info + 20n, caller ?? 0x80000001);
    if ((begin & 1n) === 1n) continue;
    const wraps = begin >> 6n !== (next - 1n) >> 6n;
    memory.writeText(DATA + (wraps ? 0n : begin & 63n) + 8n, text);
  }
  return fakeContext({ memory, vmcoreinfo: OFFSETS });
}

describe("the printk ring buffer", () => {
  it("gives committed and finalized records in order, with level and caller", () => {
    const context = ring(5n, 6n, [
      { id: 5n, state: FINALIZED, begin: 0n, next: 16n, text: "one", caller: 42 },
      { id: 6n, state: COMMITTED, begin: 16n, next: 32n, text: "two" },
    ]);
    expect(readLog(context)).toEqual([
      { timestamp: 5_000_000_000n, level: 6, text: "one", caller: "T42" },
      { timestamp: 6_000_000_000n, level: 6, text: "two", caller: "C1" },
    ]);
  });

  it.each([
    ["a record still being written", RESERVED],
    ["a record given up", REUSABLE],
  ])("leaves out %s", (_what, state) => {
    const context = ring(5n, 6n, [
      { id: 5n, state, begin: 0n, next: 16n, text: "one" },
      { id: 6n, state: FINALIZED, begin: 16n, next: 32n, text: "two" },
    ]);
    expect(readLog(context).map((r) => r.text)).toEqual(["two"]);
  });

  it("leaves out a descriptor that has been taken for another record", () => {
    const context = ring(5n, 6n, [
      { id: 13n, state: FINALIZED, begin: 0n, next: 16n, text: "stranger" }, // same slot as 5
      { id: 6n, state: FINALIZED, begin: 16n, next: 32n, text: "two" },
    ]);
    expect(readLog(context).map((r) => r.text)).toEqual(["two"]);
  });

  it("reads a block that did not fit before the end from the start of the ring", () => {
    const context = ring(5n, 5n, [{ id: 5n, state: FINALIZED, begin: 56n, next: 64n + 24n, text: "wrapped text" }]);
    expect(readLog(context).map((r) => r.text)).toEqual(["wrapped text"]);
  });

  it("reads a block that ends exactly at the end of the ring in place", () => {
    const context = ring(5n, 5n, [{ id: 5n, state: FINALIZED, begin: 40n, next: 64n, text: "to the end" }]);
    expect(readLog(context).map((r) => r.text)).toEqual(["to the end"]);
  });

  it("never reads past a block, whatever its record says of its length", () => {
    const context = ring(5n, 5n, [{ id: 5n, state: FINALIZED, begin: 0n, next: 16n, text: "12345678", length: 60000 }]);
    expect(readLog(context).map((r) => r.text)).toEqual(["12345678"]);
  });

  it.each([
    ["an empty line (3)", 3n, [""]],
    ["a record whose text was lost (1)", 1n, []],
  ])("takes %s as such", (_what, lpos, texts) => {
    const context = ring(5n, 5n, [{ id: 5n, state: FINALIZED, begin: lpos, next: lpos, text: "" }]);
    expect(readLog(context).map((r) => r.text)).toEqual(texts);
  });

  it("ends on hostile ids and sizes", () => {
    expect(readLog(ring(0n, (1n << 62n) - 1n, []))).toEqual([]);
    const huge = ring(5n, 5n, [{ id: 5n, state: FINALIZED, begin: 0n, next: 16n, text: "one" }]);
    huge.memory.write32(RING, 60);
    expect(readLog(huge)).toEqual([]);
    expect(huge.problems).toHaveLength(1);
  });
});

describe("the record buffer before 5.10", () => {
  /** Records as [ns, text]; the walk starts at the index of record `first`. */
  function buffer(records: readonly (readonly [bigint, string])[], options: { wrapAfter?: number } = {}) {
    const memory = new FakeMemory();
    memory.map(BASE, 0x1000);
    const log = BASE + 0x400n;
    memory.write64(BASE, log); // log_buf
    memory.write32(BASE + 8n, 256); // log_buf_len
    const { wrapAfter } = options;
    let at = wrapAfter === undefined ? 0 : 128;
    memory.write32(BASE + 16n, at); // log_first_idx
    records.forEach(([ns, text], i) => {
      if (i === wrapAfter) at = 0; // a zero length is already there
      const length = (16 + text.length + 3) & ~3;
      const record = log + BigInt(at);
      memory.write64(record, ns);
      memory.write32(record + 8n, length | (text.length << 16));
      memory.write32(record + 12n, 0xa0 << 24); // level 5
      memory.writeText(record + 16n, text);
      at += length;
    });
    memory.write32(BASE + 20n, at); // log_next_idx
    return fakeContext({
      memory,
      vmcoreinfo: {
        "SYMBOL(log_buf)": BASE.toString(16),
        "SYMBOL(log_buf_len)": (BASE + 8n).toString(16),
        "SYMBOL(log_first_idx)": (BASE + 16n).toString(16),
        "SYMBOL(log_next_idx)": (BASE + 20n).toString(16),
        "SIZE(printk_log)": "16",
      },
    });
  }

  it("gives the records in order", () => {
    expect(
      readLog(
        buffer([
          [1n, "one"],
          [2n, "two"],
        ]),
      ),
    ).toEqual([
      { timestamp: 1n, level: 5, text: "one", caller: null },
      { timestamp: 2n, level: 5, text: "two", caller: null },
    ]);
  });

  it("goes on at the start where a record has no length", () => {
    const context = buffer(
      [
        [1n, "late"],
        [2n, "later"],
        [3n, "latest"],
      ],
      { wrapAfter: 2 },
    );
    expect(readLog(context).map((r) => r.text)).toEqual(["late", "later", "latest"]);
  });

  it("ends where lengths lead nowhere", () => {
    const context = buffer([
      [1n, "one"],
      [2n, "two"],
    ]);
    context.memory.write32(BASE + 0x400n + 8n, 4 | (3 << 16)); // shorter than its own header
    expect(readLog(context)).toEqual([]);
  });
});

describe("formatLogRecord", () => {
  it.each([
    [0n, "text", "[    0.000000] text"],
    [1_980_212_999n, "text", "[    1.980212] text"],
    [123_456_000_001_000n, "text", "[123456.000001] text"],
    [1_000_000_000n, "a\nb", "[    1.000000] a\n               b"],
  ])("prints %i ns as dmesg does", (timestamp, text, line) => {
    expect(formatLogRecord({ timestamp, level: 6, text, caller: null })).toBe(line);
  });
});
