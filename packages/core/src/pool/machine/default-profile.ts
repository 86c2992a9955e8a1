/**
 * The built-in profile: XFS over stacked block devices, on an i386 of the time of the RFC.
 *
 * Bytes. The layers are those of the stack trace that John Berthels posted on 8 April 2010 (linux-mm, "kernel stack overflow, xfs,
 * many disks, heavy write load, 8k stack, x86-64", Linux 2.6.33.2, 7,440 bytes), which gives each frame's: write(2) down to
 * generic_file_buffered_write 1,008, throttled write-out 896, XFS' mapping of blocks 1,200, allocation 624, the split of a
 * btree on top of it 1,376, reading a buffer 352, allocating memory with reclaim 1,984. On i386 they are taken at 0.7: the traces
 * that Jesper Juhl posted on 21 November 2006 (linux-kernel, "2.6.19-rc6: Spontaneous reboots, stack overflows") show 3,604 to
 * 4,760 bytes in use for the same paths, interrupts included. Block layer, device mapper and driver are what those traces leave.
 *
 * How often what happens is an assumption, and the reader's to change, except: a btree is split once in 100 insertions or
 * less (Dave Chinner, cf11da9c5d37, 3.16).
 */
import { type MachineProfile, PROFILE_SCHEMA } from "./profile.ts";

export const DEFAULT_PROFILE: MachineProfile = {
  schema: PROFILE_SCHEMA,
  name: "i386-xfs",
  source:
    "Linux 2.6.33.2 x86_64 stack trace (J. Berthels, linux-mm, 2010-04-08) at 0.7, checked against Linux 2.6.19-rc6 i386 traces (J. Juhl, linux-kernel, 2006-11-21); frequencies assumed",
  reservedBytes: 56,
  start: { write: 1 },
  levels: [
    {
      name: "write",
      bytes: [706, 706],
      micros: 20,
      point: false,
      sleeps: false,
      next: { "write-out": 0.03, xfs: 0.4, reclaim: 0.002 },
    },
    { name: "write-out", bytes: [627, 627], micros: 10, point: false, sleeps: false, next: { xfs: 1 } },
    {
      name: "xfs",
      bytes: [840, 840],
      micros: 10,
      point: true,
      sleeps: false,
      next: { allocation: 0.3, block: 0.7 },
    },
    {
      name: "allocation",
      bytes: [437, 437],
      micros: 15,
      point: false,
      sleeps: false,
      next: { split: 0.01, buffer: 0.99 },
    },
    { name: "split", bytes: [963, 963], micros: 15, point: false, sleeps: false, next: { buffer: 1 } },
    { name: "buffer", bytes: [246, 246], micros: 5, point: false, sleeps: false, next: { reclaim: 0.01, block: 0.99 } },
    { name: "block", bytes: [180, 180], micros: 5, point: true, sleeps: false, next: { stacked: 0.5, driver: 0.5 } },
    {
      name: "stacked",
      bytes: [350, 350],
      micros: 10,
      point: true,
      sleeps: false,
      next: { stacked: 0.3, driver: 0.695, xfs: 0.005 },
    },
    { name: "driver", bytes: [420, 420], micros: 15, point: false, sleeps: true, next: {} },
    { name: "reclaim", bytes: [1389, 1389], micros: 50, point: false, sleeps: true, next: { xfs: 0.1 } },
  ],
  interrupts: {
    perSecond: 2000,
    entryBytes: 100,
    hard: { bytes: [150, 400], micros: 10 },
    nested: true,
    softChance: 0.7,
    soft: [
      { bytes: [500, 700], micros: 30 },
      { bytes: [900, 1400], micros: 60 },
    ],
  },
  thinkMicros: 1_000_000,
  sleepMicros: 10_000,
};
