/** Conversations, a way to a new one, the search, and where the data stands. */
import { type ChangeEvent, type KeyboardEvent, useEffect, useRef } from "react";
import { EmptyState, FailureState, Icon, IconButton, Kbd, Mark, Skeleton } from "../../components";
import { SHORTCUTS } from "../../keys/registry";
import { runShortcut } from "../../keys/useShortcuts";
import { useConversations } from "../../store/queries";
import { show, useNarrow, useView } from "../../store/view";
import { text } from "../../text";
import { ImportFoot } from "../import/ImportFoot";
import { SyncFoot } from "../sync/SyncFoot";
import { List } from "./List";
import "./sidebar.css";

export function Sidebar() {
  const narrow = useNarrow();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !narrow || event.defaultPrevented) return;
    // What a panel or a menu does with it, which React tells here too, is its own matter.
    if (!(event.target instanceof Node && event.currentTarget.contains(event.target))) return;
    event.preventDefault();
    show.sidebar(false);
  };
  return (
    // Escape closes the drawer from anywhere inside it.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <nav aria-label={text.sidebar.label} className="sidebar" data-region="sidebar" onKeyDown={onKeyDown}>
      <div className="sidebar-brand">
        <Mark />
        <span>{text.product}</span>
        <IconButton icon="sidebar" label={text.sidebar.hide} onClick={() => show.sidebar(false)} shortcut={SHORTCUTS.sidebar.keys} size="small" />
      </div>
      <button aria-label={text.sidebar.newChat} className="sidebar-new" onClick={() => runShortcut("newChat")} type="button">
        {text.sidebar.newChat}
        <Kbd keys={SHORTCUTS.newChat.keys} />
      </button>
      <Search />
      <Conversations />
      <Foot />
    </nav>
  );
}

function Search() {
  const value = useView((state) => state.searchText);
  const view = useView((state) => state.view);
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (view.at === "chat") before.current = view.id;
  }, [view]);
  const leave = () => show.chat(before.current);
  const onChange = (event: ChangeEvent<HTMLInputElement>) => show.search(event.target.value);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || view.at !== "search") return;
    event.preventDefault();
    show.search("");
    leave();
  };
  return (
    <div className="sidebar-search">
      <Icon name="search" size={14} />
      <input
        aria-label={text.sidebar.search}
        autoComplete="off"
        onChange={onChange}
        onKeyDown={onKeyDown}
        placeholder={text.sidebar.searchPlaceholder}
        spellCheck={false}
        type="search"
        value={value}
      />
      {value === "" && <Kbd keys={SHORTCUTS.searchAll.keys} />}
    </div>
  );
}

function Conversations() {
  const { data, error, refetch } = useConversations("active");
  if (data !== undefined) return data.length === 0 ? <EmptyList /> : <List conversations={data} />;
  if (error !== null) return <FailureState failure={error} onRetry={() => void refetch()} />;
  return (
    <div className="sidebar-list">
      <Skeleton lines={9} />
    </div>
  );
}

const EmptyList = () => (
  <div className="sidebar-list">
    <EmptyState title={text.sidebar.empty} />
  </div>
);

function Foot() {
  const at = useView((state) => state.view.at);
  return (
    <div className="sidebar-foot">
      <ImportFoot />
      <SyncFoot />
      <div className="sidebar-places">
        <IconButton aria-pressed={at === "archive"} icon="archive" label={text.sidebar.archived} onClick={show.archive} size="small" />
        <IconButton aria-pressed={at === "trash"} icon="trash" label={text.sidebar.trashed} onClick={show.trash} size="small" />
        <IconButton
          aria-pressed={at === "settings"}
          icon="settings"
          label={text.sidebar.settings}
          onClick={() => show.settings()}
          shortcut={SHORTCUTS.settings.keys}
          size="small"
        />
      </div>
    </div>
  );
}
