/** A folder or an archive that is dropped on the window. The shell takes drops, so that the page never navigates. */
import { useEffect, useState } from "react";
import * as bridge from "../../bridge";
import { toast } from "../../store/toast";
import { currentView, show } from "../../store/view";
import { look } from "./flow";

/** Whether something is held over the window. */
export function useDragging(): boolean {
  const [dragging, setDragging] = useState(false);
  useEffect(() => bridge.onDragged((dragged) => setDragging(dragged.at === "over")), []);
  return dragging;
}

/**
 * Looks into what is dropped. Where nobody asked for an import, only what is known leads to one: other
 * drops are none of its business.
 */
export function useDropped(isAsked: () => boolean): void {
  useEffect(
    () =>
      bridge.onDragged((dragged) => {
        const path = dragged.at === "dropped" ? dragged.paths[0] : undefined;
        if (path !== undefined) void take(path, isAsked());
      }),
    [isAsked],
  );
}

async function take(path: string, isAsked: boolean): Promise<void> {
  try {
    const source = await bridge.importLook(path);
    const { at } = await bridge.importState();
    if (at === "running" || at === "pausing" || at === "planning") return;
    if (!isAsked) show.settings("import");
    void look(source);
  } catch (error) {
    if (isAsked) toast.failure(bridge.asFailure(error));
  }
}

/** On the page of the settings. */
export const isOnPage = (): boolean => {
  const { view } = currentView();
  return view.at === "settings" && view.page === "import";
};
