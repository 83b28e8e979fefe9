/** How well a text fits what was typed: letters in order, better at the starts of words. */

/** Small letters without accents, so that “uber” finds “Über”. */
export const folded = (text: string) => text.normalize("NFD").replace(/\p{M}+/gu, "").toLowerCase();

/**
 * 0 where a letter is missing, else more for a better fit; at most 1.
 *
 * Every word of the query has to fit somewhere; their order does not matter.
 */
export function fit(query: string, text: string): number {
  const words = folded(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return 1;
  const target = folded(text);
  const scores = words.map((word) => fitWord(word, target));
  return scores.includes(0) ? 0 : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function fitWord(word: string, target: string): number {
  const at = target.indexOf(word);
  if (at >= 0) {
    if (at === 0) return 1;
    return startsWord(target, at) ? 0.9 : 0.6;
  }
  return scattered(word, target);
}

/** Letters in order with gaps: each that starts a word or follows the one before counts in full. */
function scattered(word: string, target: string): number {
  let from = 0;
  let good = 0;
  let last = -2;
  for (const letter of word) {
    const next = startOf(letter, target, from) ?? target.indexOf(letter, from);
    if (next < 0) return 0;
    if (next === last + 1 || startsWord(target, next)) good += 1;
    last = next;
    from = next + letter.length;
  }
  const share = good / word.length;
  // Letters strewn about mean nothing: most have to start words, or to stand together.
  return share >= 0.75 ? 0.5 * share : 0;
}

/** The letter right here, or at the start of a later word. */
function startOf(letter: string, target: string, from: number): number | null {
  if (target.startsWith(letter, from)) return from;
  for (let at = target.indexOf(letter, from); at >= 0; at = target.indexOf(letter, at + 1)) {
    if (startsWord(target, at)) return at;
  }
  return null;
}

const startsWord = (text: string, at: number) => at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "");

/** The best of a list, in order of fit and, where equal, as they came. */
export function best<T>(query: string, list: readonly T[], name: (one: T) => string, limit: number): T[] {
  if (query.trim() === "") return list.slice(0, limit);
  return list
    .map((one) => ({ one, score: fit(query, name(one)) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ one }) => one);
}
