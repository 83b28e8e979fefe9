import { useEffect, useState } from "react";
import { useMarkdownActions } from "./actions";
import { copyToClipboard } from "./clipboard";
import { markdownText as text } from "./strings";

type Outcome = "idle" | "copied" | "failed";
const SHOWN_MS = 1_600;

/** A button that copies what `content` returns and says for a moment that it did. */
export function CopyButton({ label, name, content }: { label: string; name?: string; content: () => string }) {
  const actions = useMarkdownActions();
  const [outcome, setOutcome] = useState<Outcome>("idle");
  useEffect(() => {
    if (outcome === "idle") return;
    const timer = setTimeout(() => setOutcome("idle"), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () => {
    const write = actions.copyText ?? copyToClipboard;
    write(content())
      .then(() => setOutcome("copied"))
      .catch(() => setOutcome("failed"));
  };
  const said = { idle: label, copied: text.copied, failed: text.copyFailed }[outcome];
  return (
    <button type="button" className="md-copy" aria-label={outcome === "idle" ? name : undefined} onClick={copy}>
      {said}
    </button>
  );
}
