/**
 * The one place that touches iced-x86, the disassembler library. It keeps its instructions in WebAssembly memory; nothing
 * of that leaves this folder.
 */
import iced, { type Instruction as IcedInstructionType } from "iced-x86";

export type IcedInstruction = IcedInstructionType;
export {
  Decoder,
  DecoderOptions,
  FlowControl,
  Formatter,
  FormatterSyntax,
  IcedInstruction,
  Mnemonic,
  OpKind,
  Register,
};

const {
  Decoder,
  DecoderOptions,
  FlowControl,
  Formatter,
  FormatterSyntax,
  Instruction: IcedInstruction,
  Mnemonic,
  OpKind,
  Register,
} = iced;
