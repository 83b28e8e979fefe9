import * as bridge from "../../bridge";
import { act } from "../../store/act";
import { client } from "../../store/client";
import { keys } from "../../store/keys";
import { toast } from "../../store/toast";
import { show } from "../../store/view";
import { text } from "../../text";
import { choiceFor, messageFor, type Wish } from "./conflict";

/** Settles a conflict as a person wishes; of two texts in the chat, the one that was wished for is shown. */
export function settle(conflict: bridge.ConflictView, wish: Wish): void {
  act(async () => {
    const shown = messageFor(conflict, wish);
    if (shown !== null) await bridge.chooseBranch(shown);
    await bridge.settleConflict(conflict.id, choiceFor(conflict, wish));
    toast.say(text.sync.conflict.settled);
    await client.invalidateQueries({ queryKey: keys.sync });
  });
}

/** Where a person can look at it. */
export function look({ conversation_id, message_id, copy_id }: bridge.ConflictView): void {
  if (conversation_id !== null) show.chat(conversation_id, copy_id ?? message_id);
}
