/** A small kernel-like program with debug information, as gcc 12 compiled it. For tests. */
import { MemorySource } from "../../bytes/byte-source.ts";
import { zlibCodec } from "../../image/codec/zlib.ts";
import { DwarfDeclaredTypes } from "../declared-types.ts";
import { DwarfFile } from "../dwarf/dwarf-file.ts";
import { ElfFile } from "../elf/elf-file.ts";

/**
 * What it was compiled from, with
 *
 *     gcc -gdwarf-5 -O2 -ffreestanding -fno-pic -mcmodel=kernel -fcf-protection=none -fno-asynchronous-unwind-tables -fno-ident
 *       -nostdlib -static -Wl,-Ttext=0xffffffff81000000,--section-start=.rodata=0xffffffff82000000,-Tdata=0xffffffff82000020
 *       -Wl,-e,reach,--build-id=none,-z,noseparate-code
 */
export const SOURCE = `
struct ops { int (*open)(void *); int (*close)(void *); };
struct holder { long id; void *private; };
struct user { const struct ops *ops; };
int first(void *at) { return *(int *)at; }
static int second(void *at) { return *(int *)at + 1; }
const struct ops table[2] = { { first, second }, { second, first } };
int (*hook)(void *) = first;
int reach(struct holder *holder)
{
  struct user *user = holder->private;
  return user->ops->close(user) + 1;
}
`;

/** Bytes of the file. */
const SIZE = 11016;
/** The file, deflated (zlib), as base64. */
const COMPILED = `
eNrtWj1sHEUUntm9vVt77fvx2XFMSLwXEseJ2HMcEmMgTsxPwE5QQiQshcpa3835Vjnv2rt7iRNFCmC6UKSkiKCgQhTQREhUSKGioYQyDTRQBB
oKhMx7s7PnyzrLUdAgzSfvvJk373tv9s2btSXP7XNvvq5QSmIo5AzBkUnIe9uAeaFfONIxIfNklqjQFkie22qkC4+230VeLGeKkTqWREjkZUkU
SOB9zhNyUihjGfMu/xTWs+Tfo0gkJCQkJCQkJCQkJCQkJCTu5B40GtXC+Ad81Lh7J7f1DX2wo1nY+lVfuHMbntz2W/rC1rc6zsu8SUhISEhISE
hISEhISEj8z8D/z19MSJKQzxK8G4DQH+PNpDj9nOK9AMqN+56DZj/2+lOY/d56QIqU6m9jmAo0dHiDxCHp0Q0eV62CMJrQ4DPg4dxgRnPckOR1
+g6MMhPQFJWPoNWcOlH2YE/5ERvT4z6y2l60+x0H6n20w9Bq5T4PhOEL2HyHfr5HFVG/BpHN4aWD3EPsDuFkn0rETYXczziT2+BKUyhLFnJ1DR
dqihfeI16W3jsPyRma4BZPYR8vKQzAU8Zl0f7CJRrdizjAza9h8zE0w79gTxtAp/E+ZTtOt4Ck2yHRxvBN6RIZ+QNlhq8hTrraMUfTTEmYElog
RkVfLEOiBomaf7FCXzJeMBbLswYh6gTBiUyZqnnDiKYqOgWVBrb6ji3uW/YQOjpjqHlIysluV2fHFEi9rnVTUNNXoofzZUMd3zdeokO54iiUA4
TSIZSBVhjIGKFHxhbL2B3Q+GoGIY4BYaDA8rB2WGaB0siiWAGLKdCUqvTsGKyAu0E++p/fe2sMrYY0Ek/BOka/egXilk/u1g1X6W4XN7mLkSf7
vzkGebiNpQX1dgwTTOmf+UEUlFcU9sYpngWFjisFZeccaCOkT4n3akQbpdqBLNWOVbX92R+0capNw2jmikazX2pKGURJK1zQlOwFbQgm+k5rdE
4zF6FVKBF3eobhQWeg2CwO5PS74qrPcOL8x4UR65P19bSQyWJ+LV+8mIdNqLW8gJGW566abTdwVl1WN/Fgcg12vHXmkqbXqjOf+MyuNckbF5fM
V6efN6dPVE9Uj5vWWm3Nq7PW3FXmu6wF47DtsrlV5jLfqcHQ9mvNuc3ZGWvmpGmtwk/9uu03rFOmdemEaTUaPmNBaLt1ByJaDdez1pHWqDWsdd
8LWS10PHfO9VwWzdrBDbfW9D3XawdW273uuHUrtFdaLIjmnTqDZa/7zjU7ZITPwPq9qyRgNc+tk3YAb9Jw/CCEdjNs+6xaI1VyUGx8jIw5SZcy
kzOZT+nSJzietPDApQG3J0N+207qDf4xpLv2ZYg/dNe+4FeuFH0++QfJFPoDfG9VvFcV37fiOMbtVRJ/wOIXmBL+k3VyKsXP6RR9V45E/qIiiP
K6vLwSBMuwe34Y5TjK6zKr26ENAsxJNbixBtYgQz+SzbgXss2QVH2PW1dFy1baq8u2b7urLIiHjtvwOlMrKz67Fo9ajsvifsO31zoDiNFt89jY
q7WcIAz+i1/C+0jXnbiucxlfYEv+nk3ea6sIftfHJMq/2Tm3jyE5Pir46s58VDfCUE/YJ8dTgp/EpOAff0Kdd+NMCv+K4H9B/5l/PoWfOxjJyz
34V9LiPxPJrR7rr6fwHwp+s0f+NgQ/maeFQ5H8KyV+LG+l8M8djuRAD/6HKeu/LPgTPd4/UXsdbAr+IzEeFDWmd32n+N+IXbXXjaYI/HKP+KUU
/meCf68H/29tX7xn
`;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function fromBase64(text: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let count = 0;
  for (const digit of text) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xffffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push((bits >> count) & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** What its debug information declares. */
export function gccDeclared(): DwarfDeclaredTypes {
  const file = zlibCodec.decompress(fromBase64(COMPILED), SIZE);
  return new DwarfDeclaredTypes(new DwarfFile(new ElfFile(new MemorySource(file, "fixture.elf"))));
}
