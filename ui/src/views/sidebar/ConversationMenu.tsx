/** What can be done with a chat: the same in the sidebar and in its header. */
import * as bridge from "../../bridge";
import { MenuItem, MenuLine } from "../../components";
import { act } from "../../store/act";
import { toast } from "../../store/toast";
import { currentView, show } from "../../store/view";
import { text } from "../../text";

type Props = { conversation: bridge.Conversation; onRename: () => void; onInstructions?: () => void };

/** The items of a menu; what they take away can be undone. */
export function ConversationMenu({ conversation, onRename, onInstructions }: Props) {
  const { id, pinned, archived, trashed_at } = conversation;
  const words = text.sidebar;
  return (
    <>
      <MenuItem icon="pencil" onSelect={onRename}>
        {words.rename}
      </MenuItem>
      {onInstructions && (
        <MenuItem icon="info" onSelect={onInstructions}>
          {text.thread.instructions}
        </MenuItem>
      )}
      <MenuItem icon="pin" onSelect={() => act(() => bridge.pin(id, !pinned))}>
        {pinned ? words.unpin : words.pin}
      </MenuItem>
      <MenuItem icon="archive" onSelect={() => act(() => archive(id, !archived))}>
        {archived ? words.unarchive : words.archive}
      </MenuItem>
      <MenuItem icon="duplicate" onSelect={() => act(() => duplicate(id))}>
        {words.duplicate}
      </MenuItem>
      <MenuLine />
      <MenuItem icon="export" onSelect={() => act(() => exportAs(id, "md"))}>
        {words.exportMarkdown}
      </MenuItem>
      <MenuItem icon="export" onSelect={() => act(() => exportAs(id, "json"))}>
        {words.exportJson}
      </MenuItem>
      {trashed_at === null && (
        <>
          <MenuLine />
          <MenuItem danger icon="trash" onSelect={() => act(() => trash(id))}>
            {words.trash}
          </MenuItem>
        </>
      )}
    </>
  );
}

async function duplicate(id: bridge.ConversationId): Promise<void> {
  const copy = await bridge.duplicate(id);
  toast.say(text.sidebar.duplicated(copy.title));
  show.chat(copy.id);
}

async function exportAs(id: bridge.ConversationId, format: bridge.ExportFormat): Promise<void> {
  const path = await bridge.saveExport(id, format);
  if (path !== null) toast.say(text.sidebar.exported(path));
}

async function archive(id: bridge.ConversationId, archived: boolean): Promise<void> {
  await bridge.archive(id, archived);
  if (archived) leave(id);
}

async function trash(id: bridge.ConversationId): Promise<void> {
  await bridge.trash(id);
  leave(id);
}

/** A chat that has left the list is not shown any longer. */
function leave(id: bridge.ConversationId): void {
  const { view } = currentView();
  if (view.at === "chat" && view.id === id) show.chat(null);
}
