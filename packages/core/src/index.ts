/** Public surface of Spillway's core: everything from bytes to verdict, no I/O of its own. */

export type { AdviceContext, Findings, Leads } from "./advice/advice-input.ts";
export { advise } from "./advice/advise.ts";
export { analyseProgram } from "./budget/analyse-program.ts";
export {
  Budget,
  type BudgetOptions,
  type BudgetPath,
  type BudgetProgram,
  createBudget,
  type DeepestContext,
  type DeepestPath,
  type TopRow,
} from "./budget/budget.ts";
export type {
  BudgetCycle,
  BudgetDocument,
  BudgetEntry,
  CutEdge,
  EntryKind,
  LevelBound,
  PathStep,
} from "./budget/budget-document.ts";
export { budgetJson } from "./budget/budget-json.ts";
export { buildCallGraph } from "./budget/build-call-graph.ts";
export { type BudgetSummary, calleesOf } from "./budget/build-document.ts";
export { type CallGraph, DEPTH_KINDS, SITE_KINDS } from "./budget/call-graph.ts";
export { type Caller, callersOf } from "./budget/callers.ts";
export { compareDepths, type DepthComparison, type DepthDifference } from "./budget/compare-depths.ts";
export { type DepthNode, depthTree } from "./budget/depth-tree.ts";
export {
  type BudgetDiff,
  type BudgetLimit,
  type DeepestEntry,
  type DiffLimit,
  diffBudgets,
  type EntryChange,
  type FrameChange,
  type Judgement,
  judgeBudget,
  judgeDiff,
} from "./budget/diff.ts";
export { type EntryThrough, entriesThrough } from "./budget/entries-through.ts";
export { type FoundCalls, type FunctionReceiver, findCalls } from "./budget/find-calls.ts";
export { type GrownFrame, parseGrownFrames, withGrownFrames } from "./budget/grown-frames.ts";
export { type KnownGraph, knownGraph, openKnownGraph } from "./budget/known-graph.ts";
export { atLevel, BUDGET_LEVELS, type BudgetLevel, type ByLevel } from "./budget/levels.ts";
export {
  type DecodedFunction,
  functionWords,
  packFunction,
  type UnpackedFunction,
  unpackFunction,
} from "./budget/packed-function.ts";
export { type AllowedPoint, parsePoints } from "./budget/plan/candidates.ts";
export { DEFAULT_RESERVE_BYTES, makePlan, type PlanOptions } from "./budget/plan/plan.ts";
export { type PlanDocument, type PlanSegment, UNFIXABLE_CAUSES, type UnfixableCause } from "./budget/plan-document.ts";
export { readBudget, readWholeBudget } from "./budget/read-budget.ts";
export { openSavedBudget } from "./budget/saved-budget.ts";
export { MOST_ROUNDS, TOLD_ROUNDS } from "./budget/solve.ts";
export { toSpeedscope } from "./budget/speedscope.ts";
export type { DecodedFunctions } from "./budget/walk-functions.ts";
export { type ByteSource, MemorySource } from "./bytes/byte-source.ts";
export type { Change, Changelog, ChangelogForm, ChangelogRelease } from "./changelog/changelog.ts";
export { compareDebianVersions, compareRpmVersions } from "./changelog/compare-versions.ts";
export { type CrashedKernel, crashedVersion } from "./changelog/crashed-version.ts";
export { parseChangelog } from "./changelog/parse.ts";
export { searchChangelog } from "./changelog/search.ts";
export { type DisassembledInstruction, disassemble } from "./code/disassemble.ts";
export type { DebugFileFinder, DebugFileRequest } from "./debuginfo/debug-file-finder.ts";
export type { DebugInfo, SourceFrame, SourceLocation, Variable, VariablePlace } from "./debuginfo/debug-info.ts";
export type { DeclaredTypes } from "./debuginfo/declared-types.ts";
export { moduleNameOf } from "./debuginfo/named-files.ts";
export { declaredTypes } from "./debuginfo/program-declared-types.ts";
export { frameVariables } from "./debuginfo/variables-frames.ts";
export { variableValue } from "./debuginfo/variables-value.ts";
export { type DiagnoseOptions, diagnose } from "./diagnose/diagnose.ts";
export type {
  ChangelogMatches,
  Confidence,
  Culprit,
  Diagnosis,
  DiagnosisFrame,
  Evidence,
  OverflowCause,
  RecursionCycle,
  VerdictKind,
} from "./diagnose/diagnosis.ts";
export { codeAddress, withoutInlined } from "./diagnose/frame-sources.ts";
export { type ErrorClass, type ErrorFact, SpillwayError, type SpillwayErrorOptions } from "./errors.ts";
export { type ExtractOptions, type ExtractResult, extractDump } from "./extract/extract.ts";
export { sameDiagnosis } from "./extract/same-diagnosis.ts";
export { type CodecTable, portableCodecs } from "./image/codec/codecs.ts";
export { PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD, type PageCodec } from "./image/codec/page-codec.ts";
export type { CpuNote, DumpImage, ImageProblem, Registers } from "./image/dump-image.ts";
export { type KdumpContents, type KdumpSink, pfnRanges, writeKdump } from "./image/kdump-writer.ts";
export { type OpenDumpOptions, openDump } from "./image/open-dump.ts";
export { PAGE_SIZE, type PageState, type PfnRange, type PhysicalMemory } from "./image/physical-memory.ts";
export { allTypes, carriedTypes } from "./kernel/all-types.ts";
export { isKernelConfig, type KernelConfig, parseKernelConfig, readEmbeddedConfig } from "./kernel/config.ts";
export type { Cpu, Kernel, LogRecord, StackKind, StackRange, Task } from "./kernel/kernel.ts";
export { type ConfigFile, kernelOptions } from "./kernel/kernel-options.ts";
export { type OpenKernelOptions, openKernel } from "./kernel/open-kernel.ts";
export {
  configuredOptions,
  type KernelOptions,
  noOptions,
  OPTION_NAMES,
  type OptionName,
  type OptionState,
} from "./kernel/option-state.ts";
export type { AddressSpace, MemoryFault } from "./memory/address-space.ts";
export * from "./pool/check/index.ts";
export * from "./pool/machine/index.ts";
export { MAX_SEED } from "./pool/random/random-stream.ts";
export * from "./pool/simulate/index.ts";
export { type FromKernelOptions, programFromKernel } from "./program/from-kernel.ts";
export type { ModuleSource } from "./program/modules/place-modules.ts";
export { type OpenProgramOptions, openProgram } from "./program/open-program.ts";
export type { Alternative, Program, ProgramArea, ProgramSource, RelocationColumns } from "./program/program.ts";
export {
  PACKINGS,
  type Packing,
  packingOf,
  portableUnpackers,
  type Unpacker,
  type Unpackers,
} from "./program/unpack.ts";
export { framesMap } from "./stack-map/frames-map.ts";
export {
  type MappedStack,
  type MappedVariable,
  type RegionKind,
  type StackMap,
  type StackMapOptions,
  type StackRegion,
  type StackWord,
  stackMap,
  type WordKind,
} from "./stack-map/stack-map.ts";
export type {
  FunctionRange,
  KernelModule,
  KernelSymbol,
  SymbolAt,
  SymbolTable,
} from "./symbols/symbol-table.ts";
export { detectEvidence, type EvidenceForm } from "./text/detect-text.ts";
export { RegionKeeper } from "./text/keep-region.ts";
export { openText, type TextEvidence } from "./text/open-text.ts";
export type { NamedPlace, ResolvePlace } from "./text/text-debug-info.ts";
export type { TextOptions } from "./text/text-diagnosis.ts";
export {
  type DefinitionLine,
  definitionLines,
  enumLines,
  formatDeclaration,
  formatMember,
  formatTypeName,
  typedefLines,
} from "./types/format-c.ts";
export { formatValue, type ValueStyle } from "./types/format-value.ts";
export { type ListBreak, type ListWalk, type WalkedList, walkList } from "./types/linked-list.ts";
export { findMember } from "./types/member.ts";
export { sizeOfType, stripTypedefs } from "./types/strip.ts";
export type { CAggregate, CMember, CType, MemberLocation, TypeProvider } from "./types/type-provider.ts";
export { bytesInMemory, type CValue, readMember, readValue } from "./types/value.ts";
export { plainValue } from "./types/value-json.ts";
export type { Backtrace, BacktraceEnd, Certainty, Frame, StaleReturn } from "./unwind/backtrace.ts";
export { readPtRegs } from "./unwind/pt-regs.ts";
export { type BacktraceTarget, backtrace, type DetailedBacktrace, staleReturnsOf } from "./unwind/unwind.ts";
