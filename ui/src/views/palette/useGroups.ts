import type { Failure } from "../../bridge";
import { text } from "../../text";
import type { Entry } from "./entry";
import { settingsEntries, useChats, useCommands, useCurrentChat, useModelEntries } from "./useEntries";
import { useMessages } from "./useMessages";

export type Groups = { groups: { heading: string; entries: Entry[] }[]; failure: Failure | null; busy: boolean };

const words = text.palette;

/**
 * Everything that fits, by group.
 *
 * Messages come last since they arrive last: nothing moves away from under the finger on Enter.
 */
export function useGroups(query: string): Groups {
  const messages = useMessages(query);
  const modelHeading = useCurrentChat() === null ? words.modelsForNew : words.modelsForChat;
  const groups = [
    { heading: words.chats, entries: useChats(query) },
    { heading: words.commands, entries: useCommands(query) },
    { heading: modelHeading, entries: useModelEntries(query) },
    { heading: words.settings, entries: settingsEntries(query) },
    { heading: words.messages, entries: messages.entries },
  ];
  return { groups, failure: messages.failure, busy: messages.busy };
}
