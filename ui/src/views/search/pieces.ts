/** A snippet cut into what matched and what did not. */
export type Piece = { text: string; marked: boolean };

/**
 * The pieces of a snippet, in order; together they are the snippet.
 *
 * `highlights` are UTF-16 offsets, start and end. They may touch, overlap or lie outside: the text is
 * shown whole in any case, and a pair of surrogates is never split.
 */
export function pieces(snippet: string, highlights: readonly (readonly [number, number])[]): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  const take = (to: number, marked: boolean) => {
    if (to <= at) return;
    found.push({ text: snippet.slice(at, to), marked });
    at = to;
  };
  for (const [start, end] of [...highlights].sort((a, b) => a[0] - b[0])) {
    take(whole(snippet, start), false);
    take(whole(snippet, end), true);
  }
  take(snippet.length, false);
  return joined(found);
}

/** An offset that lies inside the text and before a whole character. */
function whole(snippet: string, offset: number): number {
  const inside = Math.max(0, Math.min(Math.trunc(offset), snippet.length));
  const code = snippet.charCodeAt(inside);
  return code >= 0xdc00 && code <= 0xdfff ? inside + 1 : inside;
}

function joined(list: Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of list) {
    const last = result.at(-1);
    if (last?.marked === piece.marked) last.text += piece.text;
    else result.push({ ...piece });
  }
  return result;
}
