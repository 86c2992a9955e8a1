import type { ByteSource } from "../bytes/byte-source.ts";
import type { CodecTable } from "../image/codec/codecs.ts";

/** What debug information is wanted for. */
export type DebugFileRequest =
  | {
      readonly kind: "kernel";
      /** `uname -r`. */
      readonly release: string;
      /** In hexadecimal; null where the dump does not tell it. */
      readonly buildId: string | null;
    }
  | {
      readonly kind: "module";
      /** As the kernel names it, with underscores. */
      readonly name: string;
      readonly release: string;
      readonly buildId: string | null;
    };

/** How core gets at files of debug information; a front end knows where they are. */
export interface DebugFileFinder {
  /** Files that the user named: each has to be the kernel's or one of its modules'. */
  readonly named: readonly ByteSource[];
  /** What may be the file, likeliest first, opened as it is asked for. The build-id decides. */
  candidates(request: DebugFileRequest): Iterable<ByteSource>;
  /** For compressed sections; the portable codecs by default. */
  readonly codecs?: CodecTable;
}
