import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";
import { show } from "../../store/view";
import { text } from "../../text";
import { Marked } from "../search/Marked";
import type { Entry } from "./entry";

const PAUSE_MS = 80;
const LIMIT = 8;

/** Messages with the words that are typed, once the typing pauses. */
export function useMessages(query: string): { entries: Entry[]; failure: bridge.Failure | null; busy: boolean } {
  const searched = usePaused(query);
  const enabled = searched.length > 1;
  const found = useQuery<bridge.SearchHit[], bridge.Failure>({
    queryKey: [...keys.searches, "palette", searched],
    queryFn: () => bridge.search({ text: searched, conversation_id: null, limit: LIMIT * 2 }),
    enabled,
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 30_000,
  });
  const hits = enabled ? (found.data ?? []) : [];
  return { entries: hits.filter((hit) => hit.message_id !== null).slice(0, LIMIT).map(entryOf), failure: found.error, busy: enabled && (found.isFetching || searched !== query) };
}

function entryOf(hit: bridge.SearchHit): Entry {
  return {
    id: `message/${hit.message_id ?? ""}`,
    label: hit.title || text.search.untitled,
    icon: "search",
    note: hit.shelf === "active" ? undefined : text.search.shelf[hit.shelf],
    body: <Marked highlights={hit.highlights} text={hit.snippet} />,
    run: () => show.chat(hit.conversation_id, hit.message_id),
  };
}

function usePaused(value: string): string {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return paused;
}
