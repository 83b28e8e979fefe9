import type { SyncStatus } from "../../bridge";
import { text } from "../../text";
import { useAgo } from "./useAgo";

/** Where sync is, in words that grow older by themselves. */
export function useSyncWords({ state, counts }: Pick<SyncStatus, "state" | "counts">): string {
  const since = useAgo(state.at === "up_to_date" ? state.since : null);
  return text.sync.state(state, counts, since ?? "");
}
