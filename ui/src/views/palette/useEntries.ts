/** What the palette offers, by group: read from the mirror, narrowed by what is typed. */
import * as bridge from "../../bridge";
import { SHORTCUTS, type ShortcutId } from "../../keys/registry";
import { canRun, runShortcut } from "../../keys/useShortcuts";
import { act } from "../../store/act";
import { useConversations, useModels, useSyncStatus } from "../../store/queries";
import { toast } from "../../store/toast";
import { type SettingsPage, show, useView } from "../../store/view";
import { text } from "../../text";
import { day } from "../../text/views";
import type { Entry } from "./entry";
import { best } from "./fuzzy";

const words = text.palette;
const PAGES: SettingsPage[] = ["general", "models", "account", "sync", "import", "appearance", "keyboard", "data", "about"];
const THEMES = ["system", "light", "dark"] as const;

/** The chat that is open; none in a new one or elsewhere. */
export const useCurrentChat = () => useView(({ view }) => (view.at === "chat" ? view.id : null));

export function useChats(query: string): Entry[] {
  const chats = useConversations("active").data ?? [];
  const recent = [...chats].sort((a, b) => Date.parse(b.active_at) - Date.parse(a.active_at));
  return best(query, recent, (chat) => chat.title, query === "" ? 5 : 8).map((chat) => ({
    id: `chat/${chat.id}`,
    label: chat.title || words.untitled,
    icon: chat.pinned ? "pin" : "pencil",
    note: day(chat.active_at),
    run: () => show.chat(chat.id),
  }));
}

export function useCommands(query: string): Entry[] {
  const chat = useCurrentChat();
  const at = useSyncStatus().data?.state.at;
  const all = [...shortcuts(), ...(chat === null ? [] : ofChat(chat)), ...places(), ...ofSync(at !== undefined && at !== "local_only")];
  return best(query, all, (entry) => entry.label, query === "" ? 30 : 8);
}

function shortcuts(): Entry[] {
  const ids = (Object.keys(SHORTCUTS) as ShortcutId[]).filter((id) => id !== "palette" && canRun(id));
  return ids.map((id) => ({
    id: `key/${id}`,
    label: SHORTCUTS[id].label,
    icon: "chevronRight",
    keys: SHORTCUTS[id].keys,
    run: () => void runShortcut(id),
  }));
}

const ofChat = (id: bridge.ConversationId): Entry[] => [
  { id: "chat-archive", label: words.archive, icon: "archive", run: () => act(() => bridge.archive(id, true).then(() => show.chat(null))) },
  { id: "chat-trash", label: words.trash, icon: "trash", run: () => act(() => bridge.trash(id).then(() => show.chat(null))) },
];

const places = (): Entry[] => [
  { id: "place/archive", label: words.openArchive, icon: "archive", run: show.archive },
  { id: "place/trash", label: words.openTrash, icon: "trash", run: show.trash },
];

const ofSync = (hasAccount: boolean): Entry[] => [
  ...(hasAccount ? [{ id: "sync/now", label: words.syncNow, icon: "sync" as const, run: () => act(bridge.syncNow) }] : []),
  { id: "sync/account", label: words.account, icon: "person", run: () => show.settings("account") },
  { id: "sync/parked", label: words.parked, icon: "cloudStuck", run: () => show.settings("sync", "parked") },
  { id: "sync/conflicts", label: words.conflicts, icon: "branch", run: () => show.settings("sync", "conflicts") },
  { id: "sync/health", label: words.health, icon: "info", run: () => show.settings("sync", "health") },
];

export function useModelEntries(query: string): Entry[] {
  const chat = useCurrentChat();
  const models = useModels().data ?? [];
  const name = (entry: bridge.ModelEntry) => `${entry.name} ${entry.provider_name}`;
  return best(query, models, name, query === "" ? 4 : 8).map((entry) => ({
    id: `model/${entry.model}`,
    label: entry.name,
    icon: entry.provider_kind === "local" ? "computer" : "cloud",
    note: entry.reason ?? entry.provider_name,
    disabled: !entry.available,
    run: () => act(() => answerWith(chat, entry)),
  }));
}

async function answerWith(chat: bridge.ConversationId | null, entry: bridge.ModelEntry): Promise<void> {
  if (chat === null) await bridge.setDefaultModel(entry.model);
  else await bridge.setModel(chat, entry.model);
  toast.say(chat === null ? words.modelDefault(entry.name) : words.modelSet(entry.name));
}

export function settingsEntries(query: string): Entry[] {
  const pages = PAGES.map<Entry>((page) => ({
    id: `settings/${page}`,
    label: `${text.settings.title}: ${text.settings.pages[page]}`,
    icon: "settings",
    run: () => show.settings(page),
  }));
  const themes = THEMES.map<Entry>((theme) => ({
    id: `theme/${theme}`,
    label: words.theme[theme],
    icon: "sun",
    run: () => act(() => bridge.setSetting("theme", theme)),
  }));
  return best(query, [...pages, ...themes], (entry) => entry.label, 9);
}
