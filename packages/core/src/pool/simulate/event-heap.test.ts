import fc from "fast-check";
import { expect, test } from "vitest";
import { EventHeap } from "./event-heap.ts";

test("whatever is pushed and popped in between, the earliest comes out first", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(null))), (steps) => {
      const heap = new EventHeap(1);
      const times: number[] = [];
      const inside = new Set<number>();
      for (const step of steps) {
        if (step !== null) {
          heap.push(step, times.length);
          inside.add(times.length);
          times.push(step);
        } else if (inside.size > 0) {
          const earliest = Math.min(...[...inside].map((id) => times[id]!));
          expect(heap.next).toBe(earliest);
          const id = heap.pop();
          expect(times[id]).toBe(earliest);
          expect(inside.delete(id)).toBe(true);
        }
        expect(heap.size).toBe(inside.size);
        if (inside.size === 0) expect(heap.next).toBe(Number.POSITIVE_INFINITY);
      }
    }),
  );
});
