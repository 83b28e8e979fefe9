import { type KeyboardEvent, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { act } from "../../store/act";
import { text } from "../../text";

/** A title in place: Enter and leaving keep it, Escape does not. */
export function Rename({ conversation, onDone }: { conversation: bridge.Conversation; onDone: () => void }) {
  const [title, setTitle] = useState(conversation.title);
  const finished = useRef(false);
  const finish = (keep: boolean) => {
    // Leaving the field follows Enter and Escape, and must not save again.
    if (finished.current) return;
    finished.current = true;
    const next = title.trim();
    if (keep && next !== "" && next !== conversation.title) act(() => bridge.rename(conversation.id, next));
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") finish(true);
    else if (event.key === "Escape") finish(false);
    event.stopPropagation();
  };
  return (
    <input
      aria-label={text.sidebar.renameLabel}
      autoFocus
      className="row-rename"
      dir="auto"
      maxLength={200}
      onBlur={() => finish(true)}
      onChange={(event) => setTitle(event.target.value)}
      onFocus={(event) => event.target.select()}
      onKeyDown={onKeyDown}
      type="text"
      value={title}
    />
  );
}
