import { gzipSync, strToU8 } from "fflate";
import { describe, expect, test } from "vitest";
import { isKernelConfig, parseKernelConfig, readEmbeddedConfig } from "./config.ts";
import { FakeMemory, fakeSymbols } from "./memory.fixture.ts";

const TEXT = `#
# Automatically generated file; DO NOT EDIT.
# Linux/x86 6.1.0 Kernel Configuration
#
CONFIG_CC_VERSION_TEXT="gcc (Debian 12.2.0-14) 12.2.0"
CONFIG_STACKPROTECTOR=y
CONFIG_STACKPROTECTOR_STRONG=y
CONFIG_VMAP_STACK=y
# CONFIG_KASAN is not set
CONFIG_FRAME_WARN=2048
CONFIG_EXT4_FS=m
CONFIG_PHYSICAL_START=0x1000000
# CONFIG_KCSAN is not set
# end of Kernel hacking
`;

describe("the text of a configuration", () => {
  const config = parseKernelConfig(TEXT);

  test.each([
    ["STACKPROTECTOR", "y"],
    ["KASAN", "n"],
    ["EXT4_FS", "m"],
    ["FRAME_WARN", "2048"],
    ["PHYSICAL_START", "0x1000000"],
    ["CC_VERSION_TEXT", "gcc (Debian 12.2.0-14) 12.2.0"],
    ["HOPES", undefined],
  ])("%s is %s", (option, value) => {
    expect(config.get(option)).toBe(value);
  });

  test("another text is none", () => {
    expect(isKernelConfig(config)).toBe(true);
    expect(isKernelConfig(parseKernelConfig("# a comment\nPATH=/bin\n"))).toBe(false);
  });

  test("comes with any line ends", () => {
    expect(parseKernelConfig(TEXT.replaceAll("\n", "\r\n"))).toEqual(config);
  });
});

const BASE = 0xffffffff82000000n;

/** Read-only data that hold the marker, the packed text and the other marker from `at` on. */
function embedded(at: number, packed: Uint8Array = gzipSync(strToU8(TEXT))): FakeMemory {
  const bytes = new Uint8Array(at + packed.length + 8192);
  bytes.set(strToU8("IKCFG_ST"), at);
  bytes.set(packed, at + 8);
  bytes.set(strToU8("IKCFG_ED"), at + 8 + packed.length);
  const memory = new FakeMemory();
  memory.map(BASE, bytes);
  return memory;
}

function read(memory: FakeMemory, symbols: Readonly<Record<string, bigint>>) {
  return readEmbeddedConfig({ memory, symbols: fakeSymbols(symbols), vmcoreinfo: new Map() });
}

describe("the configuration within the kernel", () => {
  const data = { init_task: BASE, linux_banner: BASE + 64n };

  test("its symbol stands at the gzip file since 5.1", () => {
    const found = read(embedded(4000), { ...data, kernel_config_data: BASE + 4008n });
    expect(found?.address).toBe(BASE + 4008n);
    expect(found?.config.get("FRAME_WARN")).toBe("2048");
  });

  test("and at the marker before that", () => {
    const found = read(embedded(4000), { ...data, kernel_config_data: BASE + 4000n });
    expect(found?.address).toBe(BASE + 4008n);
    expect(found?.config.get("KASAN")).toBe("n");
  });

  test("without data symbols it is searched for, across the chunks of the search too", () => {
    for (const at of [0, 77, (1 << 20) - 3]) {
      expect(read(embedded(at), { __start_rodata: BASE })?.address).toBe(BASE + BigInt(at) + 8n);
    }
  });

  test("with data symbols but not this one there is none", () => {
    expect(read(embedded(4000), { ...data, __start_rodata: BASE })).toBeNull();
  });

  test("a marker without a configuration behind it is passed over", () => {
    const memory = embedded(4000);
    memory.writeText(BASE + 16n, "IKCFG_ST and no more");
    expect(read(memory, { __start_rodata: BASE })?.address).toBe(BASE + 4008n);
  });

  test("damage, other content and missing pages give none", () => {
    const packed = gzipSync(strToU8(TEXT));
    const symbols = { kernel_config_data: BASE + 8n };
    expect(read(embedded(0, packed.slice(0, -9)), symbols)).toBeNull();
    expect(read(embedded(0, gzipSync(strToU8("no options"))), symbols)).toBeNull();
    expect(read(new FakeMemory(), symbols)).toBeNull();
  });
});
