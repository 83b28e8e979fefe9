/** Ctrl+K: chats, messages, commands, models and settings behind one field. */
import { Command } from "cmdk";
import { useState } from "react";
import { Dialog, Icon, Kbd } from "../../components";
import { show } from "../../store/view";
import { text } from "../../text";
import { choose, type Entry } from "./entry";
import { settingsEntries, useChats, useCommands, useCurrentChat, useModelEntries } from "./useEntries";
import { useMessages } from "./useMessages";
import "./palette.css";

const words = text.palette;

export default function Palette() {
  const [typed, setTyped] = useState("");
  return (
    <Dialog hideTitle onClose={() => show.overlay(null)} open title={words.title} width="wide">
      {/* Every group narrows and ranks its own rows: cmdk would hold thousands to hide most of them. */}
      <Command className="palette" label={words.title} loop shouldFilter={false}>
        <div className="palette-field">
          <Icon name="search" />
          <Command.Input className="palette-input" onValueChange={setTyped} placeholder={words.placeholder} value={typed} />
        </div>
        <Rows query={typed.trim()} />
        <Hints />
      </Command>
    </Dialog>
  );
}

function Rows({ query }: { query: string }) {
  const chats = useChats(query);
  const messages = useMessages(query);
  const commands = useCommands(query);
  const models = useModelEntries(query);
  const settings = settingsEntries(query);
  const hasChat = useCurrentChat() !== null;
  const isEmpty = [chats, messages.entries, commands, models, settings].every((group) => group.length === 0);
  return (
    <Command.List aria-label={words.title} className="palette-list">
      {isEmpty && !messages.busy && <div className="palette-empty">{words.nothing(query)}</div>}
      <Group entries={chats} heading={words.chats} />
      <Group entries={messages.entries} heading={words.messages} />
      {messages.failure && (
        <div className="palette-failure" role="alert">
          {words.failed(messages.failure.message)}
        </div>
      )}
      <Group entries={commands} heading={words.commands} />
      <Group entries={models} heading={hasChat ? words.modelsForChat : words.modelsForNew} />
      <Group entries={settings} heading={words.settings} />
    </Command.List>
  );
}

function Group({ heading, entries }: { heading: string; entries: Entry[] }) {
  if (entries.length === 0) return null;
  return (
    <Command.Group className="palette-group" heading={heading}>
      {entries.map((entry) => (
        <Row entry={entry} key={entry.id} />
      ))}
    </Command.Group>
  );
}

function Row({ entry }: { entry: Entry }) {
  return (
    <Command.Item className="palette-row" disabled={entry.disabled ?? false} onSelect={() => choose(entry)} value={entry.id}>
      <Icon name={entry.icon} />
      <span className="palette-text">
        <span className="palette-label" dir="auto">
          {entry.label}
        </span>
        {entry.body && (
          <span className="palette-body" dir="auto">
            {entry.body}
          </span>
        )}
      </span>
      {entry.note && <span className="palette-note">{entry.note}</span>}
      {entry.keys && <Kbd keys={entry.keys} />}
    </Command.Item>
  );
}

function Hints() {
  return (
    <div aria-hidden="true" className="palette-hints">
      <span>
        <Kbd keys="arrowup" /> <Kbd keys="arrowdown" /> {words.hints.move}
      </span>
      <span>
        <Kbd keys="enter" /> {words.hints.open}
      </span>
      <span>
        <Kbd keys="escape" /> {words.hints.close}
      </span>
    </div>
  );
}
