/** What queries are called, so that a change finds what it touches. */
import type { ConversationId, Shelf } from "../bridge";

export const keys = {
  app: ["app"] as const,
  shelves: ["conversations"] as const,
  shelf: (shelf: Shelf) => ["conversations", shelf] as const,
  conversation: (id: ConversationId) => ["conversation", id] as const,
  search: (text: string, conversation_id: ConversationId | null) => ["search", conversation_id, text] as const,
  searches: ["search"] as const,
  models: ["models"] as const,
  localModels: ["local-models"] as const,
  providers: ["providers"] as const,
  presets: ["presets"] as const,
  settings: ["settings"] as const,
  /** All that a word about sync touches stands under `sync`; what asks the server does not. */
  sync: ["sync"] as const,
  syncStatus: ["sync", "status"] as const,
  account: ["sync", "account"] as const,
  parked: ["sync", "parked"] as const,
  unsynced: (id: ConversationId) => ["sync", "unsynced", id] as const,
  health: ["sync", "health"] as const,
  conflicts: ["sync", "conflicts"] as const,
  conflictsOf: (id: ConversationId | null) => ["sync", "conflicts", id] as const,
  /** All that a word about an import touches stands under `import`; looking through the folders does not. */
  import: ["import"] as const,
  importState: ["import", "state"] as const,
  imports: ["import", "all"] as const,
  importNews: ["import", "news"] as const,
  importReport: (id: string) => ["import", "report", id] as const,
  imported: (id: string) => ["import", "conversations", id] as const,
  found: ["found"] as const,
  organisation: ["organisation"] as const,
  devices: ["devices"] as const,
  sessions: ["sessions"] as const,
  undoable: ["undoable"] as const,
  doctor: ["doctor"] as const,
};
