/**
 * How formulas are written: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, as language models write them.
 *
 * Money must not become a formula: a single dollar opens only before a non-blank and not after a
 * letter or digit, closes only after a non-blank and not before a digit, and holds no other dollar.
 * `\[` is also how Markdown escapes a bracket, so it opens a formula only when what follows looks
 * like one. A formula never crosses a blank line: a stray `$$` cannot swallow the rest of an answer,
 * and what a line means never depends on a later paragraph, which the incremental parse relies on.
 */
import type { Node } from "mdast";
import type { CompileContext, Extension as FromMarkdown, Token } from "mdast-util-from-markdown";
import { blankLine } from "micromark-core-commonmark";
import { factorySpace } from "micromark-factory-space";
import { asciiAlphanumeric, asciiDigit, markdownLineEnding, markdownSpace } from "micromark-util-character";
import type { Code, Construct, Effects, Extension, State, TokenizeContext } from "micromark-util-types";
import { MATH_CHARS, mayTryFormula } from "./limits";

/** What the two constructs leave in the mdast tree. */
export interface InlineMathNode extends Node {
  type: "inlineMath";
  value: string;
  display: boolean;
}
export interface MathNode extends Node {
  type: "math";
  /** The opening fence as written. */
  open: string;
  value: string;
  fences: number;
}

declare module "mdast" {
  interface RootContentMap {
    inlineMath: InlineMathNode;
    math: MathNode;
  }
  interface PhrasingContentMap {
    inlineMath: InlineMathNode;
  }
  interface BlockContentMap {
    math: MathNode;
  }
}

declare module "micromark-util-types" {
  interface TokenTypeMap {
    mathText: "mathText";
    mathTextData: "mathTextData";
    mathFlow: "mathFlow";
    mathFlowFence: "mathFlowFence";
    mathFlowValue: "mathFlowValue";
  }
}

const DOLLAR = 36;
const BACKSLASH = 92;
const ROUND = { open: 40, close: 41 };
const SQUARE = { open: 91, close: 93 };

/** The micromark extension. */
export function mathSyntax(): Extension {
  return {
    flow: { [DOLLAR]: mathFlow, [BACKSLASH]: mathFlow },
    text: { [DOLLAR]: dollarMath, [BACKSLASH]: bracketMath },
  };
}

const dollarMath: Construct = {
  name: "dollarMath",
  previous: mayPrecedeDollar,
  tokenize(effects, ok, nok) {
    let fence = 0;
    let content = "";
    const before = this.previous;
    const start: State = (code) => {
      if (!mayPrecedeDollar(before)) return nok(code); // after other syntax nobody else has asked
      enterText(effects);
      return open(code);
    };
    const open: State = (code) => {
      if (code !== DOLLAR) return fence === 1 && blank(code) ? nok(code) : inside(code);
      fence += 1;
      if (fence > 2) return nok(code);
      effects.consume(code);
      return open;
    };
    const inside: State = (code) => {
      if (code === null || content.length > MATH_CHARS) return nok(code);
      if (code === DOLLAR) {
        effects.consume(code);
        return fence === 1 ? afterDollar : secondDollar;
      }
      if (code === BACKSLASH) return step(escaped)(code);
      return step(inside)(code);
    };
    const escaped: State = (code) => (code === null || blank(code) ? inside(code) : step(inside)(code));
    const secondDollar: State = (code) => {
      if (code !== DOLLAR) return nok(code);
      effects.consume(code);
      return end;
    };
    const afterDollar: State = (code) =>
      asciiDigit(code) || code === DOLLAR || !readsAsFormula(content) ? nok(code) : end(code);
    const end: State = (code) => {
      if (content.trim() === "") return nok(code);
      exitText(effects);
      return ok(code);
    };
    const step = (next: State) => advance(effects, next, (piece) => (content += piece));
    return start;
  },
};

function mayPrecedeDollar(code: Code): boolean {
  return code !== DOLLAR && !asciiAlphanumeric(code);
}

/** Money in brackets, `$5 (US$)`, opens a bracket that it does not close; a formula ends on a non-blank. */
function readsAsFormula(content: string): boolean {
  if (/\s$/.test(content)) return false;
  return !/^\d/.test(content) || balanced(content);
}

function balanced(content: string): boolean {
  let depth = 0;
  for (const char of content) {
    if ("([{".includes(char)) depth += 1;
    if (")]}".includes(char)) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

const bracketMath: Construct = {
  name: "bracketMath",
  tokenize(effects, ok, nok) {
    const mayTry = (): boolean => mayTryFormula(this);
    let close: number = ROUND.close;
    let content = "";
    const start: State = (code) => {
      enterText(effects);
      effects.consume(code);
      return open;
    };
    const open: State = (code) => {
      if (code !== ROUND.open && code !== SQUARE.open) return nok(code);
      if (!mayTry()) return nok(code);
      close = code === ROUND.open ? ROUND.close : SQUARE.close;
      effects.consume(code);
      return inside;
    };
    const inside: State = (code) => {
      if (code === null || content.length > MATH_CHARS) return nok(code);
      return step(code === BACKSLASH ? escaped : inside)(code);
    };
    const escaped: State = (code) => {
      if (code === null || blank(code)) return inside(code);
      if (code !== close) return step(inside)(code);
      effects.consume(code);
      return end;
    };
    const end: State = (code) => {
      const formula = content.slice(0, -1); // without the closing backslash
      const meant = close === ROUND.close || looksLikeDisplay(formula);
      if (formula.trim() === "" || !meant) return nok(code);
      exitText(effects);
      return ok(code);
    };
    const step = (next: State) => advance(effects, next, (piece) => (content += piece));
    return start;
  },
};

/** `\[1\]` and `\[draft\]` are escaped brackets; a formula has a blank inside, or a sign of one. */
function looksLikeDisplay(formula: string): boolean {
  return /^\s/.test(formula) || /[\\^_={}]/.test(formula);
}

function blank(code: Code): boolean {
  return code === null || markdownSpace(code) || markdownLineEnding(code);
}

/** Consumes one code, and tells what it added to the content. */
function advance(effects: Effects, next: State, add: (piece: string) => void): State {
  return (code) => {
    if (code === null) return next(code);
    add(code < 0 ? " " : String.fromCharCode(code));
    if (!markdownLineEnding(code)) {
      effects.consume(code);
      return next;
    }
    effects.exit("mathTextData");
    effects.enter("lineEnding");
    effects.consume(code);
    effects.exit("lineEnding");
    effects.enter("mathTextData");
    return next;
  };
}

function enterText(effects: Effects): void {
  effects.enter("mathText");
  effects.enter("mathTextData");
}

function exitText(effects: Effects): void {
  effects.exit("mathTextData");
  effects.exit("mathText");
}

/** A formula on lines of its own, between `$$` lines or `\[` and `\]` lines. */
const mathFlow: Construct = {
  name: "mathFlow",
  concrete: true,
  tokenize(effects, ok, nok) {
    const interrupt = this.interrupt;
    let first = DOLLAR;
    let valueOpen = false;
    const start: State = (code) => {
      first = code === DOLLAR ? DOLLAR : BACKSLASH;
      effects.enter("mathFlow");
      effects.enter("mathFlowFence");
      effects.consume(code);
      return second;
    };
    const second: State = (code) => {
      if (code !== (first === DOLLAR ? DOLLAR : SQUARE.open)) return nok(code);
      effects.consume(code);
      return factorySpace(effects, opened, "whitespace");
    };
    const opened: State = (code) => {
      if (code !== null && !markdownLineEnding(code)) return nok(code);
      effects.exit("mathFlowFence");
      return interrupt ? ok(code) : lineEnd(code);
    };
    const lineEnd: State = (code) => {
      if (valueOpen) effects.exit("mathFlowValue");
      valueOpen = false;
      return code === null ? done(code) : effects.attempt(nextLine, content, done)(code);
    };
    const content: State = (code) => {
      if (code === null || markdownLineEnding(code)) return lineEnd(code);
      if (code === first) return effects.check(closing(first), close, inLine)(code);
      return inLine(code);
    };
    const inLine: State = (code) => {
      if (!valueOpen) effects.enter("mathFlowValue");
      valueOpen = true;
      effects.consume(code);
      return content;
    };
    const close: State = (code) => {
      if (valueOpen) effects.exit("mathFlowValue");
      return effects.attempt(closing(first), done, nok)(code);
    };
    const done: State = (code) => {
      effects.exit("mathFlow");
      return ok(code);
    };
    return start;
  },
};

/** The closing fence, which must be the last thing on its line. */
function closing(first: number): Construct {
  return {
    partial: true,
    tokenize(effects, ok, nok) {
      const end: State = (code) => {
        if (code !== null && !markdownLineEnding(code)) return nok(code);
        effects.exit("mathFlowFence");
        return ok(code);
      };
      const second: State = (code) => {
        if (code !== (first === DOLLAR ? DOLLAR : SQUARE.close)) return nok(code);
        effects.consume(code);
        return factorySpace(effects, end, "whitespace");
      };
      return (code) => {
        effects.enter("mathFlowFence");
        effects.consume(code);
        return second;
      };
    },
  };
}

/** Steps to the next line if it belongs to the same container and is not blank. */
const nextLine: Construct = {
  partial: true,
  tokenize(this: TokenizeContext, effects, ok, nok) {
    const lineStart: State = (code) =>
      this.parser.lazy[this.now().line] ? nok(code) : effects.check(blankLine, nok, ok)(code);
    return (code) => {
      effects.enter("lineEnding");
      effects.consume(code);
      effects.exit("lineEnding");
      return lineStart;
    };
  },
};

/** The mdast side of [`mathSyntax`]. */
export function mathFromMarkdown(): FromMarkdown {
  return {
    enter: {
      mathText(token) {
        this.enter(inlineMath(this.sliceSerialize(token)), token);
      },
      mathFlow(token) {
        this.enter({ type: "math", open: "", value: "", fences: 0 }, token);
      },
    },
    exit: {
      mathText: leave,
      mathFlow: leave,
      mathFlowFence(token) {
        const node = openFormula(this);
        if (node.fences === 0) node.open = this.sliceSerialize(token).trim();
        node.fences += 1;
      },
      mathFlowValue(token) {
        const node = openFormula(this);
        node.value += (node.value === "" ? "" : "\n") + this.sliceSerialize(token);
      },
    },
  };
}

function inlineMath(source: string): InlineMathNode {
  const fence = source.startsWith("$") && !source.startsWith("$$") ? 1 : 2;
  const display = source.startsWith("$$") || source.startsWith("\\[");
  return { type: "inlineMath", value: source.slice(fence, -fence).trim(), display };
}

function leave(this: CompileContext, token: Token): void {
  this.exit(token);
}

function openFormula(context: CompileContext): MathNode {
  const node = context.stack[context.stack.length - 1];
  if (node?.type !== "math") throw new Error("A formula's parts come only inside a formula.");
  return node;
}
