/** One conversation in the sidebar: a link, what is to be known of it, and its menu. */
import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import type { Conversation } from "../../bridge";
import { Icon } from "../../components";
import { show } from "../../store/view";
import { text } from "../../text";
import { shortTime } from "./groups";
import { Rename } from "./Rename";
import { RowMenu } from "./RowMenu";

type Props = {
  conversation: Conversation;
  now: Date;
  /** Shown in the thread now. */
  selected: boolean;
  /** The one that Tab reaches; arrow keys go on from there. */
  reachable: boolean;
};

export function Row({ conversation, now, selected, reachable }: Props) {
  const { id, title, open_count } = conversation;
  const [hovered, setHovered] = useState(false);
  const [menuOpen, setMenuOpen] = useState(false);
  const [renaming, setRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const wasRenaming = useRef(false);
  useEffect(() => {
    if (wasRenaming.current && !renaming) link.current?.focus();
    wasRenaming.current = renaming;
  }, [renaming]);

  if (renaming) return <Rename conversation={conversation} onDone={() => setRenaming(false)} />;
  const shownTitle = title === "" ? text.newChatTitle : title;
  const open = (event: MouseEvent) => {
    event.preventDefault();
    show.chat(id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "F2") setRenaming(true);
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) setMenuOpen(true);
    else return;
    event.preventDefault();
  };
  const onContextMenu = (event: MouseEvent) => {
    event.preventDefault();
    setMenuOpen(true);
  };
  return (
    // A menu for each of thousands of rows would cost; only the one that is pointed at or reachable has its own.
    <div
      className={selected ? "row row-selected" : "row"}
      onContextMenu={onContextMenu}
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
    >
      <a
        aria-current={selected ? "page" : undefined}
        className="row-link"
        draggable={false}
        href={`#${id}`}
        onClick={open}
        onKeyDown={onKeyDown}
        ref={link}
        tabIndex={reachable ? 0 : -1}
      >
        <span className="row-title" dir="auto" title={shownTitle}>
          {shownTitle}
        </span>
        <span className={open_count > 0 ? "row-meta row-waiting" : "row-meta"}>
          {open_count > 0 ? text.sidebar.queued(open_count) : shortTime(conversation.active_at, now)}
        </span>
      </a>
      {hovered || reachable || menuOpen ? (
        <RowMenu conversation={conversation} onOpenChange={setMenuOpen} onRename={() => setRenaming(true)} open={menuOpen} reachable={reachable} />
      ) : (
        <span aria-hidden="true" className="row-more">
          <Icon name="more" />
        </span>
      )}
    </div>
  );
}
