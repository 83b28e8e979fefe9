/** The archive and the trash: lists of chats that are out of the sidebar. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, Confirm, EmptyState, FailureState, PageHead, Skeleton } from "../../components";
import { keys } from "../../store/keys";
import { useConversations } from "../../store/queries";
import { text } from "../../text";
import { EmptyTrash } from "./EmptyTrash";
import { Row } from "./Row";
import "./trash.css";

type OutOfSight = Exclude<bridge.Shelf, "active">;

export default function ShelfView({ shelf }: { shelf: OutOfSight }) {
  const chats = useConversations(shelf);
  const [emptying, setEmptying] = useState(false);
  const isTrash = shelf === "trash";
  const title = isTrash ? text.shelf.trash : text.shelf.archive;
  return (
    <section aria-label={title} className="page shelf" data-region="shelf">
      <PageHead title={title}>
        {isTrash && chats.data !== undefined && chats.data.length > 0 && (
          <Button icon="trash" onClick={() => setEmptying(true)} size="small" tone="danger">
            {text.shelf.emptyTrash}
          </Button>
        )}
      </PageHead>
      {chats.isError ? (
        <FailureState failure={chats.error} onRetry={() => void chats.refetch()} />
      ) : chats.data === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <Chats chats={chats.data} shelf={shelf} />
      )}
      {emptying && chats.data && <EmptyTrash chats={chats.data} onClose={() => setEmptying(false)} />}
    </section>
  );
}

function Chats({ chats, shelf }: { chats: bridge.Conversation[]; shelf: OutOfSight }) {
  const client = useQueryClient();
  const [deleting, setDeleting] = useState<bridge.Conversation | null>(null);
  if (chats.length === 0) return <Nothing shelf={shelf} />;
  return (
    <div className="page-body">
      {shelf === "trash" && <p className="shelf-note">{text.shelf.trashNote}</p>}
      <ul className="shelf-list">
        {chats.map((chat) => (
          <Row chat={chat} key={chat.id} onDelete={() => setDeleting(chat)} shelf={shelf} />
        ))}
      </ul>
      {deleting && (
        <Confirm
          action={text.shelf.deleteForever}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await bridge.deleteForever(deleting.id);
            await client.invalidateQueries({ queryKey: keys.shelves });
          }}
          title={text.shelf.confirmOne(deleting.title || text.shelf.untitled)}
        >
          {text.shelf.confirmText}
        </Confirm>
      )}
    </div>
  );
}

function Nothing({ shelf }: { shelf: OutOfSight }) {
  return shelf === "trash" ? (
    <EmptyState icon="trash" title={text.shelf.trashEmpty}>
      {text.shelf.trashEmptyHint}
    </EmptyState>
  ) : (
    <EmptyState icon="archive" title={text.shelf.archiveEmpty}>
      {text.shelf.archiveEmptyHint}
    </EmptyState>
  );
}
