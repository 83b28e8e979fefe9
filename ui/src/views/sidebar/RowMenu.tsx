import * as bridge from "../../bridge";
import { Icon, Menu, MenuItem, MenuLine } from "../../components";
import { act } from "../../store/act";
import { toast } from "../../store/toast";
import { currentView, show } from "../../store/view";
import { text } from "../../text";

type Props = {
  conversation: bridge.Conversation;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onRename: () => void;
  reachable: boolean;
};

/** What can be done with a conversation. What it takes away can be undone. */
export function RowMenu({ conversation, open, onOpenChange, onRename, reachable }: Props) {
  const { id, title, pinned, archived } = conversation;
  const words = text.sidebar;
  const trigger = (
    <button aria-label={words.more(title === "" ? text.newChatTitle : title)} className="row-more" tabIndex={reachable ? 0 : -1} type="button">
      <Icon name="more" />
    </button>
  );
  return (
    <Menu align="start" onOpenChange={onOpenChange} open={open} trigger={trigger}>
      <MenuItem icon="pencil" onSelect={onRename}>
        {words.rename}
      </MenuItem>
      <MenuItem icon="pin" onSelect={() => act(() => bridge.pin(id, !pinned))}>
        {pinned ? words.unpin : words.pin}
      </MenuItem>
      <MenuItem icon="archive" onSelect={() => act(() => bridge.archive(id, !archived))}>
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
      <MenuLine />
      <MenuItem danger icon="trash" onSelect={() => act(() => trash(id))}>
        {words.trash}
      </MenuItem>
    </Menu>
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

async function trash(id: bridge.ConversationId): Promise<void> {
  await bridge.trash(id);
  const { view } = currentView();
  if (view.at === "chat" && view.id === id) show.chat(null);
}
