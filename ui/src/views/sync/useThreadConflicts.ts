import { createContext, useContext } from "react";
import type { ConflictView, MessageId } from "../../bridge";

const NONE: ConflictView[] = [];

/** The conflicts of the open conversation, for its rows. */
const Shared = createContext<ConflictView[]>(NONE);
export const ThreadConflictsProvider = Shared.Provider;

/** Those of one message, or of the text that lost against it. */
export function useMessageConflicts(id: MessageId): ConflictView[] {
  const all = useContext(Shared);
  if (all.length === 0) return NONE;
  return all.filter((one) => one.message_id === id || one.copy_id === id);
}
