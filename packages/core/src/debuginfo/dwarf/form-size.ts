import type { FormContext } from "./abbreviations.ts";
import { DW_FORM } from "./constants.ts";
import { corrupt, type Reader } from "./reader.ts";

/** Bytes of a form's value (DWARF 5, 7.5.6), or -1 where it varies or the form is not known. */
export function fixedFormSize(form: number, context: FormContext): number {
  switch (form) {
    case DW_FORM.flagPresent:
    case DW_FORM.implicitConst:
      return 0;
    case DW_FORM.data1:
    case DW_FORM.flag:
    case DW_FORM.ref1:
    case DW_FORM.strx1:
    case DW_FORM.addrx1:
      return 1;
    case DW_FORM.data2:
    case DW_FORM.ref2:
    case DW_FORM.strx2:
    case DW_FORM.addrx2:
      return 2;
    case DW_FORM.strx3:
    case DW_FORM.addrx3:
      return 3;
    case DW_FORM.data4:
    case DW_FORM.ref4:
    case DW_FORM.refSup4:
    case DW_FORM.strx4:
    case DW_FORM.addrx4:
      return 4;
    case DW_FORM.data8:
    case DW_FORM.ref8:
    case DW_FORM.refSig8:
    case DW_FORM.refSup8:
      return 8;
    case DW_FORM.data16:
      return 16;
    case DW_FORM.addr:
      return context.addressSize;
    case DW_FORM.refAddr:
      // An address in DWARF 2, an offset since.
      return context.version <= 2 ? context.addressSize : context.offsetSize;
    case DW_FORM.strp:
    case DW_FORM.lineStrp:
    case DW_FORM.secOffset:
    case DW_FORM.strpSup:
    case DW_FORM.gnuRefAlt:
    case DW_FORM.gnuStrpAlt:
      return context.offsetSize;
    default:
      return -1;
  }
}

/** Moves past a value. @throws SpillwayError `SPW_DEBUGINFO_CORRUPT` where the form is not known */
export function skipForm(reader: Reader, form: number, context: FormContext): void {
  const size = fixedFormSize(form, context);
  if (size >= 0) {
    reader.skip(size);
    return;
  }
  switch (form) {
    case DW_FORM.udata:
    case DW_FORM.sdata:
    case DW_FORM.refUdata:
    case DW_FORM.strx:
    case DW_FORM.addrx:
    case DW_FORM.loclistx:
    case DW_FORM.rnglistx:
    case DW_FORM.gnuAddrIndex:
    case DW_FORM.gnuStrIndex:
      reader.skipLeb();
      return;
    case DW_FORM.string:
      reader.cstring();
      return;
    case DW_FORM.block1:
      reader.skip(reader.u8());
      return;
    case DW_FORM.block2:
      reader.skip(reader.u16());
      return;
    case DW_FORM.block4:
      reader.skip(reader.u32());
      return;
    case DW_FORM.block:
    case DW_FORM.exprloc:
      reader.skip(reader.uleb());
      return;
    case DW_FORM.indirect: {
      const inner = reader.uleb();
      if (inner === DW_FORM.indirect || inner === DW_FORM.implicitConst) break;
      skipForm(reader, inner, context);
      return;
    }
  }
  throw corrupt(`form 0x${form.toString(16)} is not known`);
}
