import { memo, type ReactNode, useEffect, useState } from "react";
import { controlName, hasBidiControls, splitControls } from "./bidi";
import { CopyButton } from "./CopyButton";
import { highlight, highlighted, type Token } from "./highlight";
import { markdownText as text } from "./strings";

type Props = { lang: string; value: string; settled: boolean };

/** A block of code: what it is, a button that copies it, and lines that scroll instead of wrapping. */
export const CodeBlock = memo(function CodeBlock({ lang, value, settled }: Props) {
  const tokens = useTokens(lang, value, settled);
  return (
    <figure className="md-code" dir="ltr">
      <figcaption className="md-code-head">
        <span className="md-code-lang">{lang}</span>
        <CopyButton label={text.copy} name={text.copyCode(lang)} content={() => value} />
      </figcaption>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0} role="region" aria-label={text.code(lang)}>
        <code>{tokens ? tokens.map(drawToken) : codeText(value)}</code>
      </pre>
    </figure>
  );
});

/** The colours, once the block is settled and its turn has come; null until then. */
function useTokens(lang: string, value: string, settled: boolean): readonly Token[] | null {
  const known = settled ? highlighted(lang, value) : null;
  const [late, setLate] = useState<{ value: string; tokens: readonly Token[] } | null>(null);
  useEffect(() => {
    if (!settled || known) return;
    const stop = new AbortController();
    void highlight(lang, value, stop.signal).then((tokens) => {
      if (tokens && !stop.signal.aborted) setLate({ value, tokens });
    });
    return () => stop.abort();
  }, [lang, value, settled, known]);
  return known ?? (settled && late?.value === value ? late.tokens : null);
}

function drawToken(token: Token, key: number): ReactNode {
  if (typeof token === "string") return <Piece key={key} value={token} />;
  return <span key={key} className={classOf(token.scope)}>{token.children.map(drawToken)}</span>;
}

/** "title.function" → "hljs-title function_", the names that highlight.js's themes use. */
function classOf(scope: string): string {
  if (scope.startsWith("language:")) return "";
  const [first = "", ...rest] = scope.split(".");
  return [`hljs-${first}`, ...rest.map((part, index) => `${part}${"_".repeat(index + 1)}`)].join(" ");
}

function Piece({ value }: { value: string }) {
  return <>{codeText(value)}</>;
}

/** Code as it is, except that a direction control is named instead of obeyed. */
export function codeText(value: string): ReactNode {
  if (!hasBidiControls(value)) return value;
  return splitControls(value).map((part, index) =>
    index % 2 === 0 ? part : (
      <span key={index} className="md-control" title={text.control(controlName(part))}>{controlName(part)}</span>
    ),
  );
}
