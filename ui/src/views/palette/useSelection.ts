import { type KeyboardEvent, useRef, useState } from "react";
import type { Entry } from "./entry";

/**
 * Which row is chosen: the first one until the person moves, and again after every key typed.
 *
 * cmdk picks a row by itself when rows come and go; only what the person did is taken from it.
 */
export function useSelection(query: string, entries: Entry[]) {
  const [moved, setMoved] = useState<{ query: string; to: string } | null>(null);
  const byPerson = useRef(false);
  const first = entries.find((entry) => !entry.disabled)?.id ?? "";
  const isThere = moved?.query === query && entries.some((entry) => entry.id === moved.to);
  return {
    value: isThere ? moved.to : first,
    onValueChange: (to: string) => {
      if (byPerson.current) setMoved({ query, to });
      byPerson.current = false;
    },
    onKeyDownCapture: (event: KeyboardEvent) => {
      byPerson.current = ["ArrowDown", "ArrowUp", "Home", "End", "n", "p", "j", "k"].includes(event.key) && (event.key.length > 1 || event.ctrlKey);
    },
    onPointerMoveCapture: () => {
      byPerson.current = true;
    },
  };
}
