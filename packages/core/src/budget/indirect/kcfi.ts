/**
 * kCFI (CONFIG_CFI_CLANG): a hash of its prototype stands before each function that can be called indirectly, and each
 * indirect call compares it with that of its own:
 *
 *     mov  $-hash, %r10d
 *     add  -4(%r11), %r10d      -15 where padding stands between hash and function
 *     je   1f
 *     ud2
 *     1: call *%r11             or through a thunk, or a jump
 *
 * So the functions with that hash are all that the call can reach. The format is described in clang's documentation of
 * -fsanitize=kcfi and in the kernel's arch/x86/kernel/cfi.c (decode_cfi_insn), since 6.1: 3c516f89e17e.
 */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  mnemonicNumber,
  OPERAND,
} from "../../code/code-columns.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { fullAddress } from "../function-table.ts";

/** What a call checks. */
export interface CheckedHash {
  /** Signed 32 bits. */
  readonly hash: number;
  /** Where it stands from the callee's entry; negative, in bytes. */
  readonly offset: number;
}

/** `mov $hash,%eax`: the hash is an instruction's operand, so that disassemblers keep their place. */
const MOV_EAX = 0xb8;
/** Functions are padded by 64 bytes at most (CONFIG_FUNCTION_ALIGNMENT). */
const MOST_BEFORE = 72;

export class TypeHashes {
  readonly #memory: AddressSpace;
  readonly #general = generalRegisters();
  readonly #mov = mnemonicNumber("mov");
  readonly #trap = mnemonicNumber("ud2");
  readonly #add = mnemonicNumber("add");

  constructor(memory: AddressSpace) {
    this.#memory = memory;
  }

  /** What the call at an instruction checks; null where it checks nothing. */
  checked(code: CodeColumns, at: number): CheckedHash | null {
    const [load, add, skip, trap] = [at - 4, at - 3, at - 2, at - 1];
    if (load < 0 || code.flow[skip] !== FLOW.conditional || code.target[skip] !== code.address[at]) return null;
    if (
      !code.followed(trap) ||
      code.mnemonic[trap] !== this.#trap ||
      code.mnemonic[load] !== this.#mov ||
      code.mnemonic[add] !== this.#add
    )
      return null;
    const [to, from] = [load * MAX_OPERANDS, add * MAX_OPERANDS];
    if (code.operandKind[to + 1] !== OPERAND.IMMEDIATE || code.operandKind[from + 1] !== OPERAND.MEMORY) return null;
    const register = code.operandRegister[to]!;
    if (register !== code.operandRegister[from] || this.#general[register]! < 10) return null;
    const offset = code.displacement[add]!;
    if (offset > -4 || offset < -MOST_BEFORE || code.index[add] !== 0) return null;
    return { hash: -code.immediate[load]! | 0, offset };
  }

  /** The hash before a function, where calls that expect it at that offset would find it; null where there is none. */
  of(entry: number, offset: number): number | null {
    const bytes = this.#memory.read(fullAddress(entry) + BigInt(offset - 1), 5);
    if (bytes === null || bytes[0] !== MOV_EAX) return null;
    return new DataView(bytes.buffer, bytes.byteOffset).getInt32(1, true);
  }
}
