import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as bridge from "../../bridge";
import { Confirm } from "../../components";
import { keys } from "../../store/keys";
import { text } from "../../text";

type Props = { chats: bridge.Conversation[]; onClose: () => void };

/** Deletes what the trash held when it was asked, one chat after another. */
export function EmptyTrash({ chats, onClose }: Props) {
  const client = useQueryClient();
  // A chat that is thrown away meanwhile was not part of the question.
  const [asked] = useState(chats);
  const [done, setDone] = useState(0);
  const empty = async () => {
    try {
      for (const chat of asked) {
        await deleteUnlessGone(chat.id);
        setDone((n) => n + 1);
      }
    } finally {
      await client.invalidateQueries({ queryKey: keys.shelves });
    }
  };
  return (
    <Confirm action={text.shelf.emptyTrash} onClose={onClose} onConfirm={empty} title={text.shelf.confirmAll(asked.length)}>
      {done === 0 ? text.shelf.confirmText : text.shelf.emptying(done, asked.length)}
    </Confirm>
  );
}

async function deleteUnlessGone(id: bridge.ConversationId): Promise<void> {
  try {
    await bridge.deleteForever(id);
  } catch (error) {
    if (bridge.asFailure(error).code !== "not_found") throw error;
  }
}
