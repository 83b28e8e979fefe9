/**
 * Bounds on what one answer can make the parser do.
 *
 * CommonMark lets 20 KB of `>` or `*` nest ten thousand deep, and several of its rules cost the
 * square of the markers in a paragraph. Each bound turns what lies beyond it into plain text, inside
 * the tokenizer, so that offsets stay true and a prefix of the text is still read as before. No answer
 * that a person would want to read comes near any of them.
 */
import { markdownLineEnding } from "micromark-util-character";
import type { Construct, Effects, Extension, ParseContext, Previous, State, TokenizeContext } from "micromark-util-types";

/** A container (quote, list, footnote) opens only up to this column; ten thousand `>` make 100 quotes. */
const CONTAINER_COLUMNS = 100;
/** Markers of emphasis, links and code in one paragraph; counts what could be quadratic. */
const MARKERS_PER_TEXT = 1000;
/** Each `<` may look for its end through the whole paragraph. */
const ANGLES_PER_TEXT = 300;
/** So may each `\(`, up to [`MATH_CHARS`]. */
const FORMULAS_PER_TEXT = 200;
/** A longer run of one character is a drawn line, not emphasis. */
const LONGEST_RUN = 64;

/** Levels of blocks, and of inline content, that are drawn as structure. */
export const BLOCK_DEPTH = 24;
export const INLINE_DEPTH = 32;
/** A stretch without any block boundary that is longer than this is shown as written. */
export const SEGMENT_CHARS = 64_000;
/** Longer code is shown without colours, so that no frame is lost to it. */
export const HIGHLIGHT_CHARS = 30_000;
/** Longer formulas are shown as source. */
export const MATH_CHARS = 4_000;

const ANGLE = 60;
const DOLLAR = 36;
const BACKTICK = 96;
const RUNS = [42, 95, 126]; // * _ ~
const SINGLES = [33, 91, 93]; // ! [ ]

/** The micromark extension that applies the bounds to containers and to inline content. */
export function limits(): Extension {
  const text: Record<number, Construct> = { [ANGLE]: budget("angles", ANGLES_PER_TEXT) };
  for (const code of SINGLES) text[code] = budget("markers", MARKERS_PER_TEXT);
  // A run of these is one marker: the real constructs never start in the middle of one.
  for (const code of [BACKTICK, DOLLAR]) {
    text[code] = { ...budget("markers", MARKERS_PER_TEXT), previous: notAfter(code) };
  }
  for (const code of RUNS) text[code] = runBudget;
  return { text };
}

type Spent = { angles: number; markers: number; formulas: number };
const spending = new WeakMap<TokenizeContext, Spent>();

function spentBy(context: TokenizeContext): Spent {
  const spent = spending.get(context) ?? { angles: 0, markers: 0, formulas: 0 };
  spending.set(context, spent);
  return spent;
}

/** Whether this paragraph may still look for the end of a bracketed formula. */
export function mayTryFormula(context: TokenizeContext): boolean {
  const spent = spentBy(context);
  spent.formulas += 1;
  return spent.formulas <= FORMULAS_PER_TEXT;
}

/** Lets a marker through to the real constructs until the paragraph has spent its budget. */
function budget(kind: "angles" | "markers", most: number): Construct {
  return {
    name: "budget",
    tokenize(effects, ok, nok) {
      const spent = spentBy(this);
      return (code) => {
        spent[kind] += 1;
        if (spent[kind] <= most) return nok(code);
        effects.enter("data");
        return restAsData(effects, ok)(code);
      };
    },
  };
}

function notAfter(marker: number): Previous {
  return function (code) {
    return code !== marker || this.events[this.events.length - 1]?.[1].type === "characterEscape";
  };
}

/** The same for `*`, `_` and `~`, whose runs nest once for every one or two characters. */
const runBudget: Construct = {
  name: "runBudget",
  tokenize(effects, ok, nok) {
    const spent = spentBy(this);
    let length = 0;
    let marker: number | null = null;
    const run: State = (code) => {
      if (code !== null && (marker === null || code === marker)) {
        marker = code;
        length += 1;
        effects.consume(code);
        return run;
      }
      if (length > LONGEST_RUN) {
        effects.exit("data");
        return ok(code);
      }
      spent.markers += length;
      return spent.markers > MARKERS_PER_TEXT ? restAsData(effects, ok)(code) : nok(code);
    };
    return (code) => {
      effects.enter("data");
      return run(code);
    };
  },
};

/** The rest of the line as text: beyond its budget a paragraph has no markers at all. */
function restAsData(effects: Effects, ok: State): State {
  const rest: State = (code) => {
    if (code === null || markdownLineEnding(code)) {
      effects.exit("data");
      return ok(code);
    }
    effects.consume(code);
    return rest;
  };
  return rest;
}

/** Makes every container of this parser refuse to open beyond [`CONTAINER_COLUMNS`]. */
export function boundContainers(parser: ParseContext): void {
  const constructs = parser.constructs.document;
  for (const [code, list] of Object.entries(constructs)) {
    const all = Array.isArray(list) ? list : list ? [list] : [];
    Object.assign(constructs, { [code]: all.map(bounded) });
  }
}

function bounded(construct: Construct): Construct {
  return {
    ...construct,
    tokenize(effects, ok, nok) {
      const inner = construct.tokenize.call(this, effects, ok, nok);
      return (code) => (this.now().column > CONTAINER_COLUMNS ? nok(code) : inner(code));
    },
  };
}
