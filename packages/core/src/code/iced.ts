/**
 * The one place that touches iced-x86, the disassembler library. It keeps its instructions in WebAssembly memory; nothing
 * of that leaves this folder.
 *
 * What it exports is undefined before `loadIced`: loading the library costs some 20 ms and 15 MB, which a question that
 * needs no code decoded should not pay. (Only the bundle saves that; run from its sources, iced-x86 loads at once.)
 */
import iced, { type Instruction as IcedInstructionType } from "iced-x86";

export type IcedInstruction = IcedInstructionType;

export let Decoder: typeof iced.Decoder;
export let DecoderOptions: typeof iced.DecoderOptions;
export let FlowControl: typeof iced.FlowControl;
export let Formatter: typeof iced.Formatter;
export let FormatterSyntax: typeof iced.FormatterSyntax;
export let IcedInstruction: typeof iced.Instruction;
export let Mnemonic: typeof iced.Mnemonic;
export let OpKind: typeof iced.OpKind;
export let Register: typeof iced.Register;

/** Makes the library's exports ready; cheap when they are. */
export function loadIced(): void {
  if (Decoder !== undefined) return;
  ({ Decoder, DecoderOptions, FlowControl, Formatter, FormatterSyntax } = iced);
  ({ Instruction: IcedInstruction, Mnemonic, OpKind, Register } = iced);
}
