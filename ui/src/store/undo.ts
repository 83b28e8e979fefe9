/** A toast with a way back for what was just done. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import * as bridge from "../bridge";
import { text } from "../text";
import { act } from "./act";
import { keys } from "./keys";
import { show } from "./view";
import { toast } from "./toast";

/** Takes an action back, shows where it was, and says so. */
export function undo(id: number | null): void {
  act(async () => {
    const undone = await bridge.undo(id);
    show.chat(undone.conversation_id);
  });
}

/** Shows a toast whenever something new can be taken back. */
export function useUndoToasts(): void {
  const { data } = useQuery<bridge.Undoable | null, bridge.Failure>({ queryKey: keys.undoable, queryFn: bridge.undoable });
  const seen = useRef<number | null>(null);
  const shown = useRef(new Map<number, number>());
  useEffect(() => {
    if (data === undefined) return;
    const id = data?.id ?? 0;
    // What was taken back by Ctrl+Z offers nothing any more.
    for (const [action, one] of shown.current) {
      if (action <= id) continue;
      toast.dismiss(one);
      shown.current.delete(action);
    }
    // What was done before this window looked is offered by Ctrl+Z alone.
    if (seen.current !== null && data && id > seen.current) {
      shown.current.set(id, toast.say(data.label, { label: text.undo, run: () => undo(id) }));
    }
    seen.current = Math.max(seen.current ?? 0, id);
  }, [data]);
}
