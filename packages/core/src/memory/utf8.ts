/** Decodes UTF-8 with U+FFFD for what is not; core has no TextDecoder (it is a DOM API). */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] as number;
    if (lead < 0x80) {
      let end = i + 1;
      while (end < bytes.length && end - i < 4096 && (bytes[end] as number) < 0x80) end++;
      text += String.fromCharCode(...bytes.subarray(i, end));
      i = end;
      continue;
    }
    const extra =
      lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0;
    let code = extra === 0 ? -1 : lead & (0x3f >> extra);
    let used = 1;
    for (; code >= 0 && used <= extra; used++) {
      const next = bytes[i + used];
      if (next === undefined || (next & 0xc0) !== 0x80) {
        code = -1;
        break;
      }
      code = (code << 6) | (next & 0x3f);
    }
    const overlong = (extra === 2 && code < 0x800) || (extra === 3 && code < 0x10000);
    if (code < 0 || overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      text += "\ufffd";
      i++;
    } else {
      text += String.fromCodePoint(code);
      i += used;
    }
  }
  return text;
}
