/** Public surface of Spillway's core: everything from bytes to verdict, no I/O of its own. */
export { type ByteSource, MemorySource } from "./bytes/byte-source.ts";
export { type ErrorClass, type ErrorFact, SpillwayError, type SpillwayErrorOptions } from "./errors.ts";
export type { CpuNote, DumpImage, ImageProblem, Registers } from "./image/dump-image.ts";
export { type OpenDumpOptions, openDump } from "./image/open-dump.ts";
export { PAGE_SHIFT, PAGE_SIZE, type PageState, type PfnRange, type PhysicalMemory } from "./image/physical-memory.ts";
