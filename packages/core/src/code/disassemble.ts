/** Instructions as text, AT&T syntax, laid out as objdump and crash print them. */
import {
  Decoder,
  DecoderOptions,
  Formatter,
  FormatterSyntax,
  IcedInstruction,
  loadIced,
  Mnemonic,
  OpKind,
} from "./iced.ts";

export interface DisassembledInstruction {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** For example `call   0xffffffff8107aff0 <__stack_chk_fail>`. */
  readonly text: string;
}

/** Width of the mnemonic column in objdump's output, blank included. */
const MNEMONIC_COLUMN = 7;

/**
 * Disassembles `bytes`, which lie at `address`.
 * @param symbolize names an address ("vfs_write+12"), or null; its answer follows branch targets and RIP-relative operands
 */
export function disassemble(
  bytes: Uint8Array,
  address: bigint,
  symbolize: (address: bigint) => string | null = () => null,
  limit = Number.POSITIVE_INFINITY,
): DisassembledInstruction[] {
  loadIced();
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Gas);
  const scratch = new IcedInstruction();
  const result: DisassembledInstruction[] = [];
  try {
    formatter.firstOperandCharIndex = MNEMONIC_COLUMN;
    formatter.hexPrefix = "0x";
    formatter.uppercaseHex = false;
    formatter.smallHexNumbersInDecimal = false;
    formatter.spaceAfterOperandSeparator = false;
    formatter.showBranchSize = false;
    formatter.branchLeadingZeros = false;
    formatter.ripRelativeAddresses = true;
    // As objdump: a displacement of zero that is encoded is shown, nopl 0x0(%rax,%rax,1).
    formatter.showZeroDisplacements = true;
    decoder.ip = address;
    while (decoder.canDecode && result.length < limit) {
      const position = decoder.position;
      const at = address + BigInt(position);
      decoder.decodeOut(scratch);
      if (scratch.mnemonic === Mnemonic.INVALID) {
        result.push({ address: at, bytes: bytes.slice(position, position + 1), text: "(bad)" });
        decoder.position = position + 1;
        decoder.ip = at + 1n;
        continue;
      }
      // objdump prints the scale of an index even where it is 1.
      let text = formatter.format(scratch).replace(/\((%\w+)?,(%\w+)\)/, "($1,$2,1)");
      const referred = referredAddress(scratch);
      if (referred !== null) {
        const name = symbolize(referred.address);
        if (referred.comment) text += `        # 0x${referred.address.toString(16)}`;
        if (name !== null) text += ` <${name}>`;
      }
      result.push({ address: at, bytes: bytes.slice(position, position + scratch.length), text });
    }
  } finally {
    scratch.free();
    formatter.free();
    decoder.free();
  }
  return result;
}

function referredAddress(instruction: IcedInstruction): { address: bigint; comment: boolean } | null {
  if (instruction.opCount > 0) {
    const kind = instruction.op0Kind;
    if (kind === OpKind.NearBranch64 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch16) {
      return { address: instruction.nearBranchTarget, comment: false };
    }
  }
  if (instruction.isIpRelMemoryOperand) return { address: instruction.ipRelMemoryAddress, comment: true };
  return null;
}
