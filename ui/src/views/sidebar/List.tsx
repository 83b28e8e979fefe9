/** The conversations, drawn only where they are seen; arrow keys walk them all. */
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { type FocusEvent, type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Conversation } from "../../bridge";
import { useView } from "../../store/view";
import { linesOf, nextChat } from "./groups";
import { Row } from "./Row";
import { useToday } from "./useToday";

const ROW_PX = 32;
const HEADING_PX = 32;

export function List({ conversations }: { conversations: Conversation[] }) {
  const now = useToday();
  const lines = useMemo(() => linesOf(conversations, now), [conversations, now]);
  const selectedId = useView(({ view }) => (view.at === "chat" ? view.id : null));
  const scroller = useRef<HTMLDivElement>(null);
  const [focusedId, setFocusedId] = useState<string | null>(null);
  const wanted = useRef(false);

  const indexOf = (id: string | null) => (id === null ? -1 : lines.findIndex((line) => line.key === id));
  const focused = indexOf(focusedId);
  const reachable = focused >= 0 ? focused : Math.max(indexOf(selectedId), nextChat(lines, -1, 1));
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (lines[index]?.at === "heading" ? HEADING_PX : ROW_PX),
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan: 8,
    // The line that has the focus stays, however far it is scrolled away.
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), ...(reachable >= 0 ? [reachable] : [])])].sort((a, b) => a - b),
  });

  // Heights depend on the kind of line, which moves when chats do.
  useEffect(() => virtualizer.measure(), [lines, virtualizer]);
  useEffect(() => {
    if (!wanted.current) return;
    wanted.current = false;
    scroller.current?.querySelector<HTMLElement>(`[data-index="${reachable}"] .row-link`)?.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target instanceof HTMLAnchorElement)) return;
    const to = destination(event.key);
    const line = to === null ? undefined : lines[to];
    if (to === null || line === undefined) return;
    event.preventDefault();
    virtualizer.scrollToIndex(to, { align: "auto" });
    wanted.current = true;
    setFocusedId(line.key);
  };
  const onFocus = (event: FocusEvent) => {
    const index = Number(event.target.closest<HTMLElement>("[data-index]")?.dataset.index);
    setFocusedId(lines[index]?.key ?? null);
  };
  const onBlur = (event: FocusEvent) => {
    // From one line to the next is no leaving.
    if (!event.currentTarget.contains(event.relatedTarget)) setFocusedId(null);
  };
  const destination = (key: string): number | null => {
    if (key === "ArrowDown") return nextChat(lines, reachable, 1);
    if (key === "ArrowUp") return nextChat(lines, reachable, -1);
    if (key === "Home") return nextChat(lines, -1, 1);
    if (key === "End") return nextChat(lines, lines.length, -1);
    return null;
  };

  return (
    <div className="sidebar-list" ref={scroller}>
      {/* The list hears what its links let through. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul onBlur={onBlur} onFocus={onFocus} onKeyDown={onKeyDown} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (line === undefined) return null;
          return (
            <li className="line" data-index={item.index} key={item.key} style={{ height: item.size, transform: `translateY(${item.start}px)` }}>
              {line.at === "heading" ? (
                <h2 className="line-heading">{line.label}</h2>
              ) : (
                <Row conversation={line.conversation} now={now} reachable={item.index === reachable} selected={line.conversation.id === selectedId} />
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
