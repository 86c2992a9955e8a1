import type { ByteSource } from "../../bytes/byte-source.ts";
import { readExactly, u64, u64be, viewOf } from "../../bytes/read.ts";
import type { CodecTable } from "../../image/codec/codecs.ts";
import { PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD } from "../../image/codec/page-codec.ts";
import { LoadedSection } from "./debug-section.ts";
import type { ElfSection } from "./elf-sections.ts";

/** Elf64_Chdr: ch_type u32, reserved u32, ch_size u64, ch_addralign u64 (gABI; zstd since 2022). */
const CHDR_SIZE = 24;
const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;
/** ".zdebug_" sections of older binutils: "ZLIB" and the size, big-endian. */
const ZDEBUG_HEADER = 12;
/** The largest kernels have a .debug_info of some 400 MB. */
const LARGEST = 0x7fff_0000;

/**
 * A compressed section; it has to be unpacked whole, so that happens when it is first read.
 * Null where the header is no such header.
 * @param problem takes, in words, why it could not be unpacked
 */
export function compressedSection(
  source: ByteSource,
  section: ElfSection,
  codecs: CodecTable,
  problem: (text: string) => void,
): LoadedSection | null {
  const old = section.name.startsWith(".zdebug_");
  const headerSize = old ? ZDEBUG_HEADER : CHDR_SIZE;
  const packedSize = section.size - headerSize;
  const header = readExactly(source, section.offset, headerSize);
  if (header === null || packedSize <= 0 || section.offset + section.size > source.size) return null;
  const view = viewOf(header);
  if (old && view.getUint32(0, false) !== 0x5a4c4942) return null;
  const method = old ? ELFCOMPRESS_ZLIB : view.getUint32(0, true);
  const size = old ? u64be(view, 4) : u64(view, 8);
  const flag = method === ELFCOMPRESS_ZLIB ? PAGE_FLAG_ZLIB : method === ELFCOMPRESS_ZSTD ? PAGE_FLAG_ZSTD : null;
  const codec = flag === null ? undefined : codecs.get(flag);
  const say = (why: string) => {
    problem(`${source.name}: section ${section.name} cannot be unpacked: ${why}`);
    return null;
  };
  return new LoadedSection(section.name, size, () => {
    if (codec === undefined) return say(`compression method ${method} is not known`);
    // Deflate makes at most 1032 bytes of one; zstd may make more, but not of a compiler's output.
    if (!(size <= LARGEST && size <= packedSize * 1040 + 4096)) return say(`it claims ${size} bytes`);
    const packed = readExactly(source, section.offset + headerSize, packedSize);
    if (packed === null) return say("the file ends inside it");
    try {
      return codec.decompress(packed, size);
    } catch (error) {
      return say(error instanceof Error ? error.message : String(error));
    }
  });
}
