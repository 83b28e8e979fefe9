/** Finds words in the chat that is open, newest first, and goes from one to the next. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as bridge from "../../bridge";
import { IconButton } from "../../components";
import { keys } from "../../store/keys";
import { show } from "../../store/view";
import { text } from "../../text";

/** Survives the jump, which draws the chat anew. */
let remembered = { text: "", at: -1 };

export function FindBar({ conversationId }: { conversationId: bridge.ConversationId }) {
  const [words, setWords] = useState(remembered.text);
  const [at, setAt] = useState(remembered.at);
  const { data: hits = [] } = useQuery<bridge.SearchHit[], bridge.Failure>({
    queryKey: keys.search(words, conversationId),
    queryFn: () => bridge.search({ text: words, conversation_id: conversationId, limit: 200 }),
    enabled: words.trim() !== "",
    placeholderData: keepPreviousData,
  });
  const found = words.trim() === "" ? [] : hits;
  const go = (step: 1 | -1) => {
    if (found.length === 0) return;
    const next = (at + step + found.length) % found.length;
    setAt(next);
    remembered = { text: words, at: next };
    const hit = found[next];
    if (hit?.message_id != null) {
      show.chat(conversationId, hit.message_id);
      show.overlay("find");
    }
  };
  const close = () => {
    remembered = { text: "", at: -1 };
    show.overlay(null);
  };
  const status = words.trim() === "" ? "" : found.length === 0 ? text.thread.findNone : text.thread.findOf(Math.max(0, at) + 1, found.length);
  return (
    <div className="find" role="search">
      <input
        aria-label={text.thread.findLabel}
        placeholder={text.thread.findLabel}
        autoFocus
        className="input"
        onChange={(event) => {
          setWords(event.target.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") {
            event.preventDefault();
            go(event.shiftKey ? -1 : 1);
          }
          if (event.key === "Escape") {
            event.preventDefault();
            close();
          }
        }}
        type="search"
        value={words}
      />
      <span className="find-status" role="status">
        {status}
      </span>
      <IconButton disabled={found.length === 0} icon="arrowUp" label={text.thread.findPrevious} onClick={() => go(-1)} size="small" />
      <IconButton disabled={found.length === 0} icon="arrowDown" label={text.thread.findNext} onClick={() => go(1)} size="small" />
      <IconButton icon="close" label={text.close} onClick={close} size="small" />
    </div>
  );
}
