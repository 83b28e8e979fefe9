/** Whether the thread stays at its end: until the person goes up, and again when they come back. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

/** Within so many pixels of the end the thread follows. */
export const NEAR = 80;

export type Following = { following: boolean; stop: () => void; start: () => void };

/** Wheel, keys, a touch or a selection stop following; scrolling down to the end starts it. */
export function useFollowing(scroller: RefObject<HTMLElement | null>): Following {
  const [following, setFollowing] = useState(true);
  const last = useRef(0);
  const stop = useCallback(() => setFollowing(false), []);
  const start = useCallback(() => setFollowing(true), []);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      if (event.deltaY < 0) stop();
    };
    const onKey = (event: KeyboardEvent) => {
      if (["PageUp", "Home", "ArrowUp"].includes(event.key) && !(event.target instanceof HTMLTextAreaElement)) stop();
    };
    const onSelection = () => {
      const selection = document.getSelection();
      if (selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode)) stop();
    };
    const onScroll = () => {
      const down = element.scrollTop > last.current;
      last.current = element.scrollTop;
      if (down && element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR) start();
    };
    element.addEventListener("wheel", onWheel, { passive: true });
    element.addEventListener("keydown", onKey);
    element.addEventListener("scroll", onScroll, { passive: true });
    document.addEventListener("selectionchange", onSelection);
    return () => {
      element.removeEventListener("wheel", onWheel);
      element.removeEventListener("keydown", onKey);
      element.removeEventListener("scroll", onScroll);
      document.removeEventListener("selectionchange", onSelection);
    };
  }, [scroller, start, stop]);

  return { following, stop, start };
}
