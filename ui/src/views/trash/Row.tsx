import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, IconButton } from "../../components";
import { act } from "../../store/act";
import { show } from "../../store/view";
import { text } from "../../text";
import { day } from "../../text/views";
import { daysLeft } from "./days";

type Props = { chat: bridge.Conversation; shelf: "archived" | "trash"; onDelete: () => void };

/** One chat: opens on its title, and goes back where it came from. */
export function Row({ chat, shelf, onDelete }: Props) {
  const title = chat.title || text.shelf.untitled;
  return (
    <li className="shelf-row">
      <button className="shelf-open" onClick={() => show.chat(chat.id)} type="button">
        <span className="shelf-title" dir="auto">
          {title}
        </span>
        <span className="shelf-about">
          <About chat={chat} />
        </span>
      </button>
      {shelf === "trash" ? <TrashActions id={chat.id} onDelete={onDelete} title={title} /> : <ArchiveActions id={chat.id} title={title} />}
    </li>
  );
}

function About({ chat }: { chat: bridge.Conversation }) {
  if (chat.trashed_at === null) {
    return (
      <>
        <span>{text.shelf.lastWritten(day(chat.active_at))}</span>
        <span>{text.shelf.messages(chat.message_count)}</span>
      </>
    );
  }
  return <InTrash chat={chat} trashedAt={chat.trashed_at} />;
}

function InTrash({ chat, trashedAt }: { chat: bridge.Conversation; trashedAt: string }) {
  const [now] = useState(Date.now);
  const left = daysLeft(trashedAt, now);
  return (
    <>
      <span className={left <= 3 ? "shelf-due" : undefined}>{text.shelf.daysLeft(left)}</span>
      <span>{text.shelf.messages(chat.message_count)}</span>
    </>
  );
}

function TrashActions({ id, title, onDelete }: { id: string; title: string; onDelete: () => void }) {
  return (
    <span className="shelf-actions">
      <Button aria-label={text.shelf.restoreNamed(title)} icon="restore" onClick={() => act(() => bridge.restore(id))} size="small">
        {text.shelf.restore}
      </Button>
      <IconButton icon="trash" label={text.shelf.deleteNamed(title)} onClick={onDelete} size="small" />
    </span>
  );
}

function ArchiveActions({ id, title }: { id: string; title: string }) {
  return (
    <span className="shelf-actions">
      <Button aria-label={text.shelf.backNamed(title)} icon="restore" onClick={() => act(() => bridge.archive(id, false))} size="small">
        {text.shelf.back}
      </Button>
      <IconButton icon="trash" label={text.shelf.toTrashNamed(title)} onClick={() => act(() => bridge.trash(id))} size="small" />
    </span>
  );
}
