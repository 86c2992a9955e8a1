/** Public surface of Spillway's core: everything from bytes to verdict, no I/O of its own. */
export { type ByteSource, MemorySource } from "./bytes/byte-source.ts";
export { type ErrorClass, type ErrorFact, SpillwayError, type SpillwayErrorOptions } from "./errors.ts";
