/** The one query client, and the listeners of open threads. */
import { QueryClient } from "@tanstack/react-query";
import { onChanges } from "../bridge";
import { applyToQueries, type Touched, touchedBy } from "./changes";

export const client = new QueryClient({
  defaultOptions: {
    // The mirror is on this computer: what is shown is read again when the core says so, never by a timer.
    queries: { staleTime: Number.POSITIVE_INFINITY, retry: false, refetchOnWindowFocus: false, networkMode: "always" },
    mutations: { retry: false, networkMode: "always" },
  },
});

const threads = new Set<(touched: Touched) => void>();

/** Tells a thread what changed, until the returned function is called. */
export function onTouched(listener: (touched: Touched) => void): () => void {
  threads.add(listener);
  return () => threads.delete(listener);
}

/** Begins to hear the core. */
export function listen(): () => void {
  return onChanges((changes) => {
    const touched = touchedBy(changes);
    applyToQueries(client, touched);
    for (const listener of threads) listener(touched);
  });
}
