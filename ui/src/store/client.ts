/** The one query client, and the listeners of open threads. */
import { QueryClient } from "@tanstack/react-query";
import { type ImportState, onChanges } from "../bridge";
import { applyToQueries, type Touched, touchedBy } from "./changes";
import { keys } from "./keys";
import { paced } from "./paced";

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

/** A first sync says many times a second where it is; a person reads five at most. */
const SYNC_PACE_MS = 200;
const readSync = paced(() => void client.invalidateQueries({ queryKey: keys.sync }), SYNC_PACE_MS);
const readImport = paced(() => void readImportState(), SYNC_PACE_MS);
/** An import or a first sync changes everything many times a second. */
const EVERYTHING_PACE_MS = 250;
const readEverything = paced(() => applyToQueries(client, touchedBy([{ kind: "everything" }])), EVERYTHING_PACE_MS);

/** How far an import is changes nothing else; that it is elsewhere may. */
async function readImportState(): Promise<void> {
  const at = () => client.getQueryData<ImportState>(keys.importState)?.at;
  const before = at();
  await client.invalidateQueries({ queryKey: keys.importState });
  const now = at();
  if (now === before && (now === "running" || now === "pausing" || now === "planning")) return;
  await client.invalidateQueries({ queryKey: keys.import, predicate: ({ queryKey }) => queryKey[1] !== keys.importState[1] });
}

/** Begins to hear the core. */
export function listen(): () => void {
  return onChanges((changes) => {
    const touched = touchedBy(changes);
    if (touched.everything) readEverything();
    else applyToQueries(client, touched);
    if (touched.sync) readSync();
    if (touched.import) readImport();
    for (const listener of threads) listener(touched);
  });
}
