/**
 * KaTeX's own output tree, drawn with React.
 *
 * KaTeX can hand out an HTML string, whose inline styles our CSP (`style-src 'self'`) would drop.
 * Its tree of boxes is mapped instead: React sets styles through the CSSOM, which the CSP allows, and
 * only the elements and attributes listed here can come out, whatever a formula contains.
 * The tree is not a documented interface of KaTeX, so its version is pinned and katex.test.tsx checks it.
 */
import { createElement, Fragment, type ReactNode } from "react";

type Box = {
  children?: readonly unknown[];
  attributes?: Readonly<Record<string, string>>;
  classes?: readonly string[];
  style?: Readonly<Record<string, string>>;
  text?: string;
  italic?: number;
  type?: string;
  pathName?: string;
  character?: string | null;
  width?: number | null;
  toMarkup?: () => string;
};

const MATHML = new Set([
  "math", "semantics", "annotation", "mtext", "mn", "mo", "mi", "mspace", "mover", "munder", "munderover", "msup", "msub", "msubsup",
  "mfrac", "mroot", "msqrt", "mtable", "mtr", "mtd", "mlabeledtr", "mrow", "menclose", "mstyle", "mpadded", "mphantom", "mglyph",
]);
const ATTRIBUTES = new Set([
  "aria-hidden", "xmlns", "display", "encoding", "mathvariant", "stretchy", "fence", "separator", "lspace", "rspace", "minsize", "maxsize",
  "accent", "accentunder", "displaystyle", "scriptlevel", "linethickness", "columnalign", "columnspacing", "columnlines", "rowspacing",
  "rowlines", "rowalign", "width", "height", "depth", "voffset", "notation", "mathcolor", "mathbackground", "mathsize", "side", "form",
  "viewBox", "preserveAspectRatio", "x1", "y1", "x2", "y2", "stroke-width", "stroke", "movablelimits", "largeop",
]);
const REACT_NAMES: Readonly<Record<string, string>> = { "stroke-width": "strokeWidth" };

/** The boxes of KaTeX as React nodes. */
export function drawFormula(box: unknown): ReactNode {
  return draw(asBox(box), 0);
}

function asBox(value: unknown): Box {
  return typeof value === "object" && value !== null ? (value as Box) : {};
}

function draw(box: Box, key: number): ReactNode {
  if (box.pathName !== undefined) return <path key={key} d={pathData(box)} />;
  if (box.type !== undefined) return MATHML.has(box.type) ? element(box.type, box, key) : kids(box, key);
  if (box.text !== undefined) return symbol(box, key);
  if (box.character !== undefined || (box.width !== undefined && !box.attributes)) return space(box, key);
  if (!box.attributes) return kids(box, key); // a fragment
  if (!box.classes) return element(box.children ? "svg" : "line", box, key);
  return element("span", box, key);
}

function kids(box: Box, key: number): ReactNode {
  return <Fragment key={key}>{children(box)}</Fragment>;
}

function children(box: Box): ReactNode[] {
  return (box.children ?? []).map((child, index) => draw(asBox(child), index));
}

function element(tag: string, box: Box, key: number): ReactNode {
  const props: Record<string, unknown> = { key };
  const classes = (box.classes ?? []).filter(Boolean).join(" ");
  if (classes !== "") props.className = classes;
  const style = { ...box.style, ...widthOf(box) };
  if (Object.keys(style).length > 0) props.style = style;
  for (const [name, value] of Object.entries(box.attributes ?? {})) {
    if (ATTRIBUTES.has(name)) props[REACT_NAMES[name] ?? name] = value;
  }
  return createElement(tag, props, ...children(box));
}

/** The one style that KaTeX writes as an attribute: `style="width:0.471em"` on an accent. */
function widthOf(box: Box): { width?: string } {
  const width = /^width:([\d.]+em)$/.exec(box.attributes?.style ?? "")?.[1];
  return width === undefined ? {} : { width };
}

/** A letter; it gets a box of its own only where KaTeX gives it a class, a style or a slant. */
function symbol(box: Box, key: number): ReactNode {
  const slant = box.italic !== undefined && box.italic > 0 ? { marginRight: `${+box.italic.toFixed(4)}em` } : {};
  const style: Record<string, string> = { ...slant, ...box.style };
  const classes = (box.classes ?? []).filter(Boolean).join(" ");
  if (classes === "" && Object.keys(style).length === 0) return <Fragment key={key}>{box.text}</Fragment>;
  return <span key={key} className={classes || undefined} style={style}>{box.text}</span>;
}

/** A space of MathML: a character, or a width in em. */
function space(box: Box, key: number): ReactNode {
  if (box.character) return createElement("mtext", { key }, box.character);
  return createElement("mspace", { key, width: `${box.width ?? 0}em` });
}

/** KaTeX keeps its curves private; the markup of a path is the only place that tells. */
function pathData(box: Box): string {
  return /\bd="([^"<>&]*)"/.exec(box.toMarkup?.() ?? "")?.[1] ?? "";
}
