/**
 * Colours for code, off the critical path: one block at a time, in a task of its own, and only when
 * the block no longer changes. highlight.js's tokens become a tree; no HTML string is ever made.
 */
import type { HLJSApi, HLJSOptions } from "highlight.js";
import { HIGHLIGHT_CHARS } from "./limits";
import { languageOf, loadLanguage } from "./languages";

export type Token = string | { scope: string; children: Token[] };

const done = new Map<string, readonly Token[]>();
const KEPT = 200;
let engine: Promise<HLJSApi> | null = null;
let queue: Promise<unknown> = Promise.resolve();

/** The colours of this code if they are known already. */
export function highlighted(word: string, code: string): readonly Token[] | null {
  const language = languageOf(word);
  return language === null ? null : (done.get(`${language}\n${code}`) ?? null);
}

/** Colours the code; null when it stays plain. Never rejects: plain code is a good answer. */
export function highlight(word: string, code: string, signal: AbortSignal): Promise<readonly Token[] | null> {
  const language = languageOf(word);
  if (language === null || code.length > HIGHLIGHT_CHARS) return Promise.resolve(null);
  const turn = queue.then(pause).then(() => (signal.aborted ? null : colour(language, code)));
  queue = turn.catch(() => null);
  return turn.catch(() => null);
}

/** WebKitGTK has no requestIdleCallback; a task of its own lets input and painting go first. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function colour(language: string, code: string): Promise<readonly Token[]> {
  const hljs = await withLanguage(language);
  const result = hljs.highlight(code, { language, ignoreIllegals: true });
  // oxlint-disable-next-line no-underscore-dangle -- highlight.js's name for the emitter that we gave it
  const tokens = tokensOf(result._emitter);
  if (done.size >= KEPT) done.delete(done.keys().next().value ?? "");
  done.set(`${language}\n${code}`, tokens);
  return tokens;
}

async function withLanguage(language: string): Promise<HLJSApi> {
  engine ??= import("highlight.js/lib/core").then((module) => start(module.default));
  const [hljs, definition] = await Promise.all([engine, loadLanguage(language)]);
  if (definition && !hljs.getLanguage(language)) hljs.registerLanguage(language, definition.default);
  return hljs;
}

function start(hljs: HLJSApi): HLJSApi {
  hljs.configure({ __emitter: TokenEmitter } as Partial<HLJSOptions>);
  return hljs;
}

/** What highlight.js calls while it reads; the same interface that its HTML emitter has. */
class TokenEmitter {
  readonly root: Token[] = [];
  private readonly stack: Token[][] = [this.root];

  addText(text: string): void {
    const top = this.top();
    const last = top[top.length - 1];
    if (typeof last === "string") top[top.length - 1] = last + text;
    else if (text !== "") top.push(text);
  }

  startScope(scope: string): void {
    const children: Token[] = [];
    this.top().push({ scope: String(scope), children });
    this.stack.push(children);
  }

  endScope(): void {
    if (this.stack.length > 1) this.stack.pop();
  }

  openNode(scope: string): void {
    this.startScope(scope);
  }

  closeNode(): void {
    this.endScope();
  }

  __addSublanguage(emitter: TokenEmitter, name: string): void {
    this.top().push({ scope: `language:${name}`, children: emitter.root });
  }

  finalize(): void {}

  toHTML(): string {
    return "";
  }

  private top(): Token[] {
    return this.stack[this.stack.length - 1] ?? this.root;
  }
}

function tokensOf(emitter: unknown): readonly Token[] {
  return emitter instanceof TokenEmitter ? emitter.root : [];
}
