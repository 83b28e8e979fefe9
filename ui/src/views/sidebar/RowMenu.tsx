import type * as bridge from "../../bridge";
import { Icon, Menu } from "../../components";
import { text } from "../../text";
import { ConversationMenu } from "./ConversationMenu";

type Props = {
  conversation: bridge.Conversation;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onRename: () => void;
  reachable: boolean;
};

/** The menu of a row, behind its button. */
export function RowMenu({ conversation, open, onOpenChange, onRename, reachable }: Props) {
  const trigger = (
    <button aria-label={text.sidebar.more(conversation.title || text.newChatTitle)} className="row-more" tabIndex={reachable ? 0 : -1} type="button">
      <Icon name="more" />
    </button>
  );
  return (
    <Menu align="start" onOpenChange={onOpenChange} open={open} trigger={trigger}>
      <ConversationMenu conversation={conversation} onRename={onRename} />
    </Menu>
  );
}
