/** Relative times that stay true: one timer for all of them, and a component is drawn when its words change. */
import { useCallback, useSyncExternalStore } from "react";
import { ago } from "./ago";

const STEP_MS = 15_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

const tick = () => {
  for (const listener of listeners) listener();
};

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, STEP_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** How long ago `at` was; `null` where it never was. */
export function useAgo(at: string | null): string | null {
  return useSyncExternalStore(
    subscribe,
    useCallback(() => (at === null ? null : ago(at, Date.now())), [at]),
  );
}

/** The same as an element, for places that are in a list. */
export function Ago({ at, words }: { at: string; words?: (ago: string) => string }): string {
  const said = useAgo(at) ?? "";
  return words === undefined ? said : words(said);
}
