/** The messages of a branch, virtualised: opens at its end (or at a message) and does not jump. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { Icon } from "../../components";
import { useShortcut } from "../../keys/useShortcuts";
import { act } from "../../store/act";
import { text } from "../../text";
import { MessageRow } from "./MessageRow";
import { isArriving, isOpen, type Loaded } from "./page";
import { NEAR, useFollowing } from "./useFollowing";
import type { Thread } from "./useThread";

/** Where each chat was left, by the first message that was seen; the end is not remembered. */
const places = new Map<bridge.ConversationId, bridge.MessageId>();
export const placeOf = (id: bridge.ConversationId): bridge.MessageId | null => places.get(id) ?? null;

type Props = {
  thread: Thread;
  loaded: Loaded;
  /** A message to begin at; flashed when `flash`. */
  target: bridge.MessageId | null;
  flash: boolean;
  editing: bridge.MessageId | null;
  onEdit: (id: bridge.MessageId | null) => void;
};

export function ThreadList({ thread, loaded, target, flash, editing, onEdit }: Props) {
  const { messages, hasBefore, hasAfter } = loaded;
  const scroller = useRef<HTMLDivElement>(null);
  const { following, stop, start } = useFollowing(scroller);
  const virtual = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    getItemKey: useCallback((index: number) => messages[index]?.id ?? index, [messages]),
    estimateSize: (index) => estimate(messages[index]),
    overscan: 4,
    paddingStart: 20,
    paddingEnd: 24,
    anchorTo: "end",
    followOnAppend: following && !hasAfter,
    scrollEndThreshold: following && !hasAfter ? NEAR : -1,
    useFlushSync: false,
  });

  // Before the first paint: the end, or the message that was asked for. That one is aimed at again
  // while pages come in around it: the virtualizer goes by its place among them, which moves.
  const begun = useRef(false);
  const aiming = useAiming(scroller);
  useLayoutEffect(() => {
    if (messages.length === 0 || (begun.current && !aiming.current)) return;
    const at = target === null ? -1 : messages.findIndex((message) => message.id === target);
    if (at >= 0) {
      stop();
      virtual.scrollToIndex(at, { align: flash ? "center" : "start" });
    } else if (!begun.current) virtual.scrollToEnd();
    begun.current = true;
  }, [messages, target, flash, virtual, stop, aiming]);

  const items = virtual.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);
  const { loadBefore, loadAfter } = thread;
  useEffect(() => {
    if (first !== undefined && first.index < 8 && hasBefore) loadBefore();
    if (last !== undefined && last.index >= messages.length - 8 && hasAfter) loadAfter();
  }, [first, last, messages.length, hasBefore, hasAfter, loadBefore, loadAfter]);

  useEndOnResize(scroller, following && !hasAfter, virtual.scrollToEnd);
  useKeepPlace(loaded, scroller, virtual.range?.startIndex ?? 0);
  useKeepFocus(scroller);
  useWalking(loaded, scroller);

  const pill = useNewAnswer(loaded, following);
  const toEnd = () => {
    start();
    if (hasAfter) thread.loadEnd();
    requestAnimationFrame(() => virtual.scrollToEnd());
  };
  return (
    <div className="thread-frame">
      <div
        aria-label={text.thread.label}
        aria-live="off"
        className="thread"
        data-region="thread"
        ref={scroller}
        role="log"
        // A log that can be scrolled must be reachable from the keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <div className="thread-space" style={{ height: virtual.getTotalSize() }}>
          <div className="thread-items" style={{ transform: `translateY(${first?.start ?? 0}px)` }}>
            {items.map((item) => {
              const message = messages[item.index];
              if (message === undefined) return null;
              const above = messages[item.index - 1];
              return (
                <div className="thread-row" data-index={item.index} key={item.key} ref={virtual.measureElement}>
                  <MessageRow
                    editing={editing === message.id}
                    flash={flash && target === message.id}
                    isLast={item.index === messages.length - 1}
                    message={message}
                    onEdit={onEdit}
                    question={above?.role === "user" && isOpen(message) && !isArriving(message) ? above : null}
                  />
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {!following && (
        <button className="to-end" onClick={toEnd} type="button">
          <Icon name="arrowDown" size={14} />
          {pill ? text.thread.newAnswer : text.thread.toEnd}
        </button>
      )}
    </div>
  );
}

/** A guess that is near enough for the scroll bar: about 90 characters a line. */
function estimate(message: bridge.ThreadMessage | undefined): number {
  if (message === undefined) return 120;
  const lines = Math.min(60, message.content.length / 85 + (message.content.match(/\n/g)?.length ?? 0));
  return 76 + lines * 24;
}

/** Keeps the end in view when the thread gets less room: a long draft, a note, a smaller window. */
function useEndOnResize(scroller: React.RefObject<HTMLElement | null>, following: boolean, scrollToEnd: () => void): void {
  useEffect(() => {
    const element = scroller.current;
    if (element === null || !following) return;
    let height = element.clientHeight;
    const observer = new ResizeObserver(() => {
      if (element.clientHeight !== height) scrollToEnd();
      height = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, following, scrollToEnd]);
}

/** Remembers the first message in view, except at the end. */
function useKeepPlace(loaded: Loaded, scroller: React.RefObject<HTMLElement | null>, firstIndex: number): void {
  const seen = loaded.messages[firstIndex]?.id;
  const id = loaded.conversation.id;
  useEffect(() => {
    const element = scroller.current;
    if (element === null || seen === undefined) return;
    const atEnd = !loaded.hasAfter && element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR;
    if (atEnd) places.delete(id);
    else places.set(id, seen);
  }, [id, seen, loaded.hasAfter, scroller]);
}

/** How long a message that was asked for is aimed at, in milliseconds. */
const AIM = 1500;

/** True for a moment after opening, until the person scrolls. */
function useAiming(scroller: React.RefObject<HTMLElement | null>): React.RefObject<boolean> {
  const aiming = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    const end = () => {
      aiming.current = false;
    };
    const timer = setTimeout(end, AIM);
    const kinds = ["wheel", "pointerdown", "keydown"] as const;
    for (const kind of kinds) element?.addEventListener(kind, end, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const kind of kinds) element?.removeEventListener(kind, end);
    };
  }, [scroller]);
  return aiming;
}

/** A row that had the focus and was scrolled away leaves it to the log, so that the keys go on scrolling. */
function useKeepFocus(scroller: React.RefObject<HTMLElement | null>): void {
  const focused = useRef<EventTarget | null>(null);
  useEffect(() => {
    const element = scroller.current;
    const note = (event: FocusEvent) => {
      focused.current = event.target;
    };
    element?.addEventListener("focusin", note);
    return () => element?.removeEventListener("focusin", note);
  }, [scroller]);
  useEffect(() => {
    if (!(focused.current instanceof Node) || focused.current.isConnected) return;
    focused.current = null;
    if (document.activeElement === document.body) scroller.current?.focus({ preventScroll: true });
  });
}

/** Whether an answer ended or began below while the person read elsewhere. */
function useNewAnswer(loaded: Loaded, following: boolean): boolean {
  const last = loaded.messages.at(-1);
  const stamp = last === undefined ? "" : `${last.id} ${last.state}`;
  const [seen, setSeen] = useState(stamp);
  // Kept while drawing: what is followed has been seen.
  if (following && seen !== stamp) setSeen(stamp);
  return !following && seen !== stamp;
}

/** Alt and an arrow: from message to message, and between the versions of one. */
function useWalking(loaded: Loaded, scroller: React.RefObject<HTMLElement | null>): void {
  const { messages } = loaded;
  const walk = useCallback(
    (step: -1 | 1) => {
      const rows = [...(scroller.current?.querySelectorAll<HTMLElement>("[data-message]") ?? [])];
      const at = rows.findIndex((row) => row.contains(document.activeElement));
      const row = rows[at < 0 ? rows.length - 1 : at + step];
      row?.focus({ preventScroll: true });
      row?.scrollIntoView({ block: "nearest" });
      return row !== undefined;
    },
    [scroller],
  );
  const branch = useCallback(
    (side: "previous_id" | "next_id") => {
      const row = document.activeElement?.closest<HTMLElement>("[data-message]");
      const focused = messages.find((message) => message.id === row?.dataset.message);
      const message = focused ?? messages.findLast((one) => one.siblings.count > 1);
      const id = message?.siblings[side];
      if (id == null) return false;
      act(() => bridge.chooseBranch(id));
      return true;
    },
    [messages],
  );
  useShortcut("previousMessage", useCallback(() => walk(-1), [walk]));
  useShortcut("nextMessage", useCallback(() => walk(1), [walk]));
  useShortcut("previousBranch", useCallback(() => branch("previous_id"), [branch]));
  useShortcut("nextBranch", useCallback(() => branch("next_id"), [branch]));
}
