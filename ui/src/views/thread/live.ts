/** Text of answers that are arriving, by message: each row listens to its own and no other is drawn. */
import { useSyncExternalStore } from "react";
import { follow, type MessageId } from "../../bridge";

type Live = { content: string; listeners: Set<() => void>; frame: number };
const live = new Map<MessageId, Live>();

/** Begins to follow an answer, once, until it ends. */
export function watch(id: MessageId): void {
  if (live.has(id)) return;
  const one: Live = { content: "", listeners: new Set(), frame: 0 };
  live.set(id, one);
  const end = () => {
    // The row itself is read again by its change; until then the text stays.
    setTimeout(() => {
      if (live.get(id) === one) live.delete(id);
    }, 1000);
  };
  follow(id, (event) => {
    if (event.kind === "snapshot") one.content = event.content;
    else if (event.kind === "text") one.content += event.text;
    else end();
    tell(one);
  }).catch(end);
}

/** At most once a frame, however many tokens come. */
function tell(one: Live): void {
  if (one.frame !== 0) return;
  one.frame = requestAnimationFrame(() => {
    one.frame = 0;
    for (const listener of one.listeners) listener();
  });
}

/** The text so far of an answer that arrives; what the row says otherwise, or when that is longer. */
export function useLive(id: MessageId, arriving: boolean, stored: string): string {
  return useSyncExternalStore(
    (listener) => {
      if (!arriving) return () => undefined;
      watch(id);
      const one = live.get(id);
      one?.listeners.add(listener);
      return () => one?.listeners.delete(listener);
    },
    () => {
      if (!arriving) return stored;
      const content = live.get(id)?.content ?? "";
      return content.length >= stored.length ? content : stored;
    },
  );
}
