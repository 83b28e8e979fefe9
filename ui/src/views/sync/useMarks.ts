import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useReducer } from "react";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";
import { type Mark, type Marks, marksOf, nextAt, NO_MARKS } from "./marks";

const NONE: bridge.Unsynced[] = [];

/** The marks of a conversation's messages, each from the moment on when it is due. */
export function useMarks(id: bridge.ConversationId): Marks {
  const { data: unsynced = NONE } = useQuery<bridge.Unsynced[], bridge.Failure>({ queryKey: keys.unsynced(id), queryFn: () => bridge.unsynced(id) });
  const [tick, look] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const next = nextAt(unsynced, Date.now());
    if (next === null) return;
    const timer = setTimeout(look, next - Date.now() + 50);
    return () => clearTimeout(timer);
  }, [unsynced, tick]);
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- the tick is the time.
  return useMemo(() => marksOf(unsynced, Date.now()), [unsynced, tick]);
}

/** Handed down by context: a row is not drawn again when another's mark comes. */
const Shared = createContext<Marks>(NO_MARKS);
export const MarksProvider = Shared.Provider;
export const useMark = (id: bridge.MessageId): Mark | undefined => useContext(Shared).get(id);
