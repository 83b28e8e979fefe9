/** A toast for whoever was elsewhere when an import came to its end. */
import { useEffect, useRef } from "react";
import * as bridge from "../../bridge";
import { act } from "../../store/act";
import { client } from "../../store/client";
import { keys } from "../../store/keys";
import { useImportState } from "../../store/queries";
import { toast } from "../../store/toast";
import { show } from "../../store/view";
import { text } from "../../text";
import { isOnPage } from "./useDropped";

const words = text.imports.report;

export function useImportEnd(): void {
  const state = useImportState().data;
  const before = useRef<bridge.ImportState["at"] | undefined>(undefined);
  useEffect(() => {
    const wasGoing = before.current === "running" || before.current === "pausing";
    before.current = state?.at;
    if (state?.at !== "done" || !wasGoing) return;
    // What it wrote is told row by row; of many rows only that there were some.
    void client.invalidateQueries({ queryKey: keys.shelves });
    if (!isOnPage()) act(() => tell(state.id));
  }, [state]);
}

async function tell(id: string): Promise<void> {
  const report = await bridge.importReport(id);
  const said = report.verified ? words.ready(report.imported.conversations) : words.readyWrong;
  toast.say(said, { label: words.show, run: () => show.settings("import") });
}
