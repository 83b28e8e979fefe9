import * as bridge from "../../bridge";
import { Banner, Button } from "../../components";
import { act } from "../../store/act";
import { text } from "../../text";

/** Says that a chat is in the trash or the archive, and leads back. */
export function Shelved({ conversation }: { conversation: bridge.Conversation }) {
  const { id, trashed_at, archived } = conversation;
  if (trashed_at === null && !archived) return null;
  const back = trashed_at === null ? () => bridge.archive(id, false) : () => bridge.restore(id);
  return (
    <div className="shelved">
      <Banner
        action={
          <Button onClick={() => act(back)} size="small">
            {trashed_at === null ? text.sidebar.unarchive : text.thread.restore}
          </Button>
        }
      >
        {trashed_at === null ? text.thread.archivedNote : text.thread.trashedNote}
      </Banner>
    </div>
  );
}
