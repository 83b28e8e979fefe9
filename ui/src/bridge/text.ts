/** Text that JSON can carry: lone surrogates are replaced, and the original bytes kept beside it. */

export type Carried = { content: string; content_raw: string | null };

/** What is sent for a text; `content_raw` is base64 of its WTF-8 bytes, only where they differ. */
export function carried(text: string): Carried {
  if (text.isWellFormed()) return { content: text, content_raw: null };
  return { content: text.toWellFormed(), content_raw: base64(wtf8(text)) };
}

/** UTF-8 that also writes a surrogate without its other half, as three bytes. */
function wtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Bytes of a text in UTF-8. */
export const byteLength = (text: string): number => new TextEncoder().encode(text).length;
