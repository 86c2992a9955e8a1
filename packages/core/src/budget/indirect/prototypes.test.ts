import { describe, expect, it } from "vitest";
import { BtfBuilder } from "../../types/btf.fixture.ts";
import { openBtf } from "../../types/btf.ts";
import type { CType } from "../../types/type-provider.ts";
import { Prototypes, registerParameters } from "./prototypes.ts";
import { typeKey } from "./type-keys.ts";

/** A BTF section with some functions, each a prototype of its own. */
function functions() {
  const btf = new BtfBuilder();
  const int = btf.int("int", 4, true);
  const unsigned = btf.int("unsigned int", 4);
  const long = btf.int("long int", 8, true);
  const file = btf.struct("file", 64, []);
  const inode = btf.struct("inode", 64, []);
  const pair = btf.struct("pair", 16, []);
  const large = btf.struct("large", 24, []);
  const pointer = (to: number) => btf.add("", 2, to);
  const toFile = pointer(file);
  const toConstFile = pointer(btf.add("", 10, file));
  const toInode = pointer(inode);
  const toVoid = pointer(0);
  const size = btf.add("ssize_t", 8, long);
  const prototypes: Record<string, readonly [returns: number, ...parameters: number[]]> = {
    "int (file *)": [int, toFile],
    "unsigned (const file *)": [unsigned, toConstFile],
    "int (inode *)": [int, toInode],
    "int (void *)": [int, toVoid],
    "long (file *)": [long, toFile],
    "ssize_t (file *)": [size, toFile],
    "int (file *, int)": [int, toFile, int],
    "int (pair, file *)": [int, pair, toFile],
    "int (large, file *)": [int, large, toFile],
    "large (file *)": [large, toFile],
  };
  for (const [name, [returns, ...parameters]] of Object.entries(prototypes)) {
    const words = parameters.flatMap((type, n) => [btf.name(`p${n}`), type]);
    const prototype = btf.add("", 13, returns, words, parameters.length);
    btf.add(name, 12, prototype);
  }
  const found = new Map<string, Parameters<typeof registerParameters>[0]>();
  for (const { name, type } of openBtf(btf.bytes()).functions()) if (type.kind === "function") found.set(name, type);
  return found;
}

describe("a prototype's number", () => {
  const types = functions();
  const prototypes = new Prototypes();
  const id = (name: string) => prototypes.idOf(types.get(name)!);

  it.each([
    ["int (file *)", "unsigned (const file *)", "signs and qualifiers make no difference"],
    ["long (file *)", "ssize_t (file *)", "nor do typedefs"],
  ])("%s = %s: %s", (one, other) => {
    expect(id(one)).toBe(id(other));
  });

  it.each([
    ["int (file *)", "int (inode *)"],
    ["int (file *)", "int (void *)"],
    ["int (file *)", "long (file *)"],
    ["int (file *)", "int (file *, int)"],
    ["int (pair, file *)", "int (file *, int)"],
  ])("%s is not %s", (one, other) => {
    expect(id(one)).not.toBe(id(other));
  });
});

describe("parameters in registers", () => {
  const types = functions();
  it.each([
    ["int (file *, int)", ["file", null], "pointers and integers take one each"],
    ["int (pair, file *)", [null, null, "file"], "16 bytes of struct take two"],
    ["int (large, file *)", ["file"], "larger ones are passed in memory"],
    ["large (file *)", [null, "file"], "and returned through a pointer"],
  ])("%s: %j, %s", (name, pointees) => {
    expect(registerParameters(types.get(name)!).map(pointee)).toEqual(pointees);
  });
});

function pointee(type: CType): string | null {
  return type.kind === "pointer" ? typeKey(type.target) : null;
}
