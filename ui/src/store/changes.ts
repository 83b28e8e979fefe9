/** From what the core says has changed to what must be read again: pure, then applied. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { Change, ConversationId, MessageId } from "../bridge";
import { keys } from "./keys";

export type Touched = {
  /** Queries to be read again. */
  queries: QueryKey[];
  /** Messages of open threads to be read again, by conversation. */
  messages: Map<ConversationId, Set<MessageId>>;
  /** Open threads whose branch may have changed. */
  threads: Set<ConversationId>;
  /** Whether sync is elsewhere, or something else waits for it. */
  sync: boolean;
  /** Whether an import is elsewhere. */
  import: boolean;
  /** Everything that is shown. */
  everything: boolean;
};

/** What a batch of changes touches. */
export function touchedBy(changes: Change[]): Touched {
  const touched: Touched = { queries: [], messages: new Map(), threads: new Set(), sync: false, import: false, everything: false };
  const queries = new Map<string, QueryKey>();
  const add = (key: QueryKey) => queries.set(JSON.stringify(key), key);
  for (const change of changes) {
    switch (change.kind) {
      case "conversation":
        add(keys.shelves);
        add(keys.conversation(change.id));
        // A conflict that was recorded or settled is told as a change of its conversation.
        add(keys.conflicts);
        touched.threads.add(change.id);
        break;
      case "message": {
        const ids = touched.messages.get(change.conversation_id) ?? new Set();
        touched.messages.set(change.conversation_id, ids.add(change.id));
        break;
      }
      case "setting":
        add(keys.settings);
        add(keys.models);
        break;
      case "models":
        add(keys.models);
        add(keys.localModels);
        add(keys.providers);
        break;
      case "undo":
        add(keys.undoable);
        break;
      case "sync":
        touched.sync = true;
        break;
      case "import":
        touched.import = true;
        break;
      case "draft":
        break;
      case "everything":
        touched.everything = true;
        break;
    }
  }
  touched.queries = [...queries.values()];
  return touched;
}

/** Reads again what is shown and touched. */
export function applyToQueries(client: QueryClient, touched: Touched): void {
  if (touched.everything) {
    // What asks the server is not asked because something changed here.
    void client.invalidateQueries({ predicate: (query) => query.meta?.asksServer !== true });
    return;
  }
  for (const queryKey of touched.queries) void client.invalidateQueries({ queryKey });
}
