/**
 * Reads a code fence at the start of a segment by looking for its closing line only.
 *
 * Code is the one block that grows long while nothing in it can matter to the parser, so each update
 * of an open fence costs what was added, not what is there. It declines whatever needs more than that
 * (indentation, carriage returns, NUL, an unusual info string), and the parser then reads the same.
 */
import type { Block } from "./tree";

export type Fence = { block: Extract<Block, { type: "code" }>; end: number };

const OPENING = /^(`{3,}|~{3,})[ \t]*([\w+#.-]*)(?:[ \t][^`\\&\r\n\0]*)?\n/;

/** Remembers how far an open fence was searched, so that the next update goes on from there. */
export class FenceReader {
  private start = -1;
  private searched = 0;

  /** The fence that starts at `start`, or null when there is none or the parser should read it. */
  read(source: string, start: number): Fence | null {
    const opening = OPENING.exec(source.slice(start, start + 200));
    const marks = opening?.[1];
    if (!opening || marks === undefined) return null;
    const body = start + opening[0].length;
    if (this.start !== start) this.rewind(start, body);
    const close = this.close(source, marks);
    const until = close?.at ?? source.length;
    if (/[\r\0]/.test(source.slice(body, until))) return null;
    const value = source.slice(body, close ? Math.max(body, until - 1) : withoutLastBreak(source, body));
    const block = { type: "code" as const, lang: opening[2] ?? "", value, closed: close !== null };
    return { block, end: close?.end ?? source.length };
  }

  private rewind(start: number, body: number): void {
    this.start = start;
    this.searched = body;
  }

  private close(source: string, marks: string): { at: number; end: number } | null {
    const closing = new RegExp(`^ {0,3}${marks.charAt(0)}{${marks.length},}[ \\t]*$`);
    for (let at = this.searched; at < source.length; ) {
      const lineEnd = source.indexOf("\n", at);
      const line = source.slice(at, lineEnd === -1 ? source.length : lineEnd);
      if (closing.test(line)) return { at, end: lineEnd === -1 ? source.length : lineEnd + 1 };
      if (lineEnd === -1) return null;
      at = lineEnd + 1;
      this.searched = at;
    }
    return null;
  }
}

function withoutLastBreak(source: string, body: number): number {
  return source.length > body && source.endsWith("\n") ? source.length - 1 : source.length;
}
