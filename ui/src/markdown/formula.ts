/**
 * TeX → drawn formula. KaTeX is loaded with the first formula that a person meets, not with the app.
 */
import type { ReactNode } from "react";
import { drawFormula } from "./katex";
import { MATH_CHARS } from "./limits";

type Katex = typeof import("katex").default;
type WithTree = Katex & { __renderToDomTree(tex: string, options: object): unknown };

export type Formula = { ok: true; node: ReactNode } | { ok: false };

let katex: WithTree | null = null;
let loading: Promise<void> | null = null;
const drawn = new Map<string, Formula>();
const KEPT = 500;

/** Whether formulas can be drawn at once. */
export function formulasReady(): boolean {
  return katex !== null;
}

/** Loads KaTeX, mhchem and their style sheet, once. */
export function loadFormulas(): Promise<void> {
  loading ??= load().catch((error: unknown) => {
    loading = null; // a missing file must not stay missing for ever
    throw error;
  });
  return loading;
}

async function load(): Promise<void> {
  const [module] = await Promise.all([
    import("katex"),
    import("katex/contrib/mhchem"),
    import("katex/dist/katex.min.css"),
  ]);
  katex = module.default as WithTree;
}

/** Draws a formula; `ok: false` says that it cannot be read, and the source should be shown. */
export function formula(tex: string, display: boolean): Formula | null {
  if (!katex) return null;
  const key = `${display ? "d" : "i"}${tex}`;
  const known = drawn.get(key);
  if (known) return known;
  const fresh = drawOnce(katex, tex, display);
  if (drawn.size >= KEPT) drawn.delete(drawn.keys().next().value ?? "");
  drawn.set(key, fresh);
  return fresh;
}

function drawOnce(engine: WithTree, tex: string, display: boolean): Formula {
  if (tex.length > MATH_CHARS) return { ok: false };
  try {
    // oxlint-disable-next-line no-underscore-dangle -- KaTeX's name; see katex.tsx
    const tree = engine.__renderToDomTree(tex, options(display));
    return { ok: true, node: drawFormula(tree) };
  } catch {
    return { ok: false }; // a parse error, or a RangeError from ten thousand braces
  }
}

/**
 * `trust: false` leaves no way to an address, a class or an attribute (`\href`, `\includegraphics`,
 * `\htmlData`); `strict` turns those into errors, and lets pass what only departs from LaTeX, such as
 * a plain "°" or a Greek letter, because models write that. Errors are thrown, and shown by us.
 */
function options(displayMode: boolean): object {
  return {
    displayMode,
    trust: false,
    strict: (code: string) => (code === "htmlExtension" ? "error" : "ignore"),
    throwOnError: true,
    errorColor: "currentcolor", // a command that trust forbids is shown by its name, quietly
    maxExpand: 500,
    maxSize: 20,
    macros: {},
    output: "htmlAndMathml",
  };
}
