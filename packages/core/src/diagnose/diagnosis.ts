/**
 * The JSON document of `spillway diagnose --json`, schema `spillway/diagnosis@1` (docs/diagnosis-format.md). Addresses are
 * "0x…" strings, sizes bytes.
 */
export type Confidence = "certain" | "likely" | "possible";

export type VerdictKind =
  | "stack-buffer-overflow"
  | "stack-overflow"
  | "irq-stack-overflow"
  | "stack-end-corrupted"
  | "foreign-write"
  | "frame-mismatch"
  | "reference-canary-changed"
  | "return-address-corrupted"
  | "not-stack-related"
  | "undetermined";

export type OverflowCause = "recursion" | "deep-call-chain" | "large-frame";

export interface Culprit {
  readonly function: string;
  readonly module: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

export interface DiagnosisFrame {
  readonly function: string | null;
  readonly module: string | null;
  readonly offset: number | null;
  /** Always known from a dump; null where a text does not say it. */
  readonly address: string | null;
  /** Always known from a dump; null where a text does not say it. */
  readonly sp: string | null;
  readonly certainty: "proven" | "inferred";
  /** True for a function that was inlined into the next entry that is not: it has no frame of its own on the stack. */
  readonly inlined: boolean;
  readonly why: string | null;
  /** Where in the source it was; only there with debug information, null where that does not tell. */
  readonly file?: string | null;
  readonly line?: number | null;
}

/**
 * A run of frames that repeats: direct or indirect recursion. `firstFrame` is an index into `frames`; inlined entries between
 * the frames of a turn do not count as frames.
 */
export interface RecursionCycle {
  readonly functions: readonly string[];
  readonly firstFrame: number;
  readonly turns: number;
  /** Null where a text does not say where the frames lie. */
  readonly bytesPerTurn: number | null;
}

export interface Evidence {
  readonly id: string;
  /** Where a person can check it; null for what has no address. */
  readonly address: string | null;
  readonly text: string;
}

/** What a changelog has on the subject of the verdict, after the crashed release. */
export interface ChangelogMatches {
  /** The changelog's file name. */
  readonly source: string;
  /** The crashed kernel in the changelog's numbering (or the date of its build); null where it could not be told. */
  readonly from: string | null;
  /** The newest release in the changelog. */
  readonly to: string | null;
  /** Changes that name what the verdict names, those that say most first. */
  readonly entries: readonly {
    readonly version: string | null;
    readonly date: string | null;
    readonly text: string;
    readonly matches: readonly string[];
  }[];
  /** How many there were; `entries` may be the first of them. */
  readonly found: number;
  /** Changes that were looked at. */
  readonly searched: number;
  /** What was looked for. */
  readonly subjects: readonly string[];
  readonly notes: readonly string[];
}

/** A variable on the stack: bytes [low, high). */
export interface DamagedVariable {
  readonly name: string;
  /** As in a cast: `char [32]`. */
  readonly type: string;
  /** The function of the source that declares it. */
  readonly function: string | null;
  readonly low: string;
  readonly high: string;
}

export interface Diagnosis {
  readonly schema: "spillway/diagnosis@1";
  readonly input: {
    /** A memory dump, a kernel's log, or what somebody pasted of a session of the crash utility. */
    readonly kind: "vmcore" | "log" | "crash-session";
    readonly format: string;
    readonly path: string;
  };
  /** Release and architecture are always known from a dump; null where a text does not say them. */
  readonly kernel: { readonly release: string | null; readonly arch: string | null; readonly crashTime: string | null };
  readonly panic: {
    readonly message: string | null;
    readonly cpu: number | null;
    readonly pid: number | null;
    readonly comm: string | null;
    readonly task: string | null;
  };
  readonly verdict: {
    readonly kind: VerdictKind;
    readonly cause: OverflowCause | null;
    readonly confidence: Confidence;
    readonly summary: string;
    readonly culprit: Culprit | null;
  };
  readonly alternatives: readonly {
    readonly kind: VerdictKind;
    readonly confidence: Confidence;
    readonly why: string;
  }[];
  /** The stack the verdict is about. */
  readonly stack: {
    readonly kind: string;
    readonly low: string;
    readonly high: string;
    readonly usedBytes: number;
  } | null;
  readonly frames: readonly DiagnosisFrame[];
  readonly recursion: RecursionCycle | null;
  /** `sp` is null where a text does not say it. */
  readonly stale: readonly { readonly function: string; readonly sp: string | null }[];
  readonly corruption: {
    readonly start: string;
    readonly end: string;
    readonly bytes: number;
    readonly pattern: string | null;
    /** `expected` is null where the evidence, a text, does not show the reference. */
    readonly canary: { readonly slot: string; readonly expected: string | null; readonly found: string } | null;
    /** The variable that the damage began in; only there where debug information names it. */
    readonly variable?: DamagedVariable;
  } | null;
  readonly evidence: readonly Evidence[];
  readonly missing: readonly string[];
  readonly advice: readonly string[];
  /** Only where a changelog was given to search. */
  readonly changelog?: ChangelogMatches;
}
