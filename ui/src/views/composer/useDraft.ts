/** What is typed and not sent: in the mirror within a moment, per chat, whatever happens to the window. */
import { useCallback, useEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";

const SAVE_AFTER_MS = 300;

export type Draft = {
  content: string;
  setContent: (content: string) => void;
  /** It was sent: clear it here (the core has cleared its own). */
  forget: () => void;
  /** Save now. */
  flush: () => void;
};

export function useDraft(id: bridge.ConversationId | null): Draft {
  const [content, setShown] = useState("");
  const latest = useRef({ content: "", saved: "", touched: false });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const flush = useCallback(() => {
    clearTimeout(timer.current);
    const { content, saved } = latest.current;
    if (content === saved) return;
    latest.current.saved = content;
    bridge.saveDraft(id, content.toWellFormed()).catch(() => {
      // It is tried again with the next letter, and when the box is left.
      latest.current.saved = "\0";
    });
  }, [id]);

  useEffect(() => {
    let gone = false;
    bridge
      .draft(id)
      .then((saved) => {
        // What was typed before the draft was read wins.
        if (gone || latest.current.touched) return;
        latest.current = { content: saved, saved, touched: false };
        setShown(saved);
      })
      .catch(() => undefined);
    return () => {
      gone = true;
      flush();
    };
  }, [id, flush]);

  useEffect(() => {
    window.addEventListener("pagehide", flush);
    return () => window.removeEventListener("pagehide", flush);
  }, [flush]);

  const setContent = useCallback(
    (next: string) => {
      latest.current.content = next;
      latest.current.touched = true;
      setShown(next);
      clearTimeout(timer.current);
      timer.current = setTimeout(flush, SAVE_AFTER_MS);
    },
    [flush],
  );

  const forget = useCallback(() => {
    clearTimeout(timer.current);
    latest.current = { content: "", saved: "", touched: true };
    setShown("");
  }, []);

  return { content, setContent, forget, flush };
}
