/** Ctrl+K: chats, messages, commands, models and settings behind one field. */
import { Command } from "cmdk";
import { useState } from "react";
import { Dialog, Icon, Kbd } from "../../components";
import { show } from "../../store/view";
import { text } from "../../text";
import { choose, type Entry } from "./entry";
import { type Groups, useGroups } from "./useGroups";
import { useSelection } from "./useSelection";
import "./palette.css";

const words = text.palette;

export default function Palette() {
  const [typed, setTyped] = useState("");
  const query = typed.trim();
  const found = useGroups(query);
  const selection = useSelection(query, found.groups.flatMap((group) => group.entries));
  return (
    <Dialog hideTitle onClose={() => show.overlay(null)} open title={words.title} width="wide">
      {/* Every group narrows and ranks its own rows: cmdk would hold thousands to hide most of them. */}
      <Command className="palette" label={words.title} loop shouldFilter={false} {...selection}>
        <div className="palette-field">
          <Icon name="search" />
          <Command.Input className="palette-input" onValueChange={setTyped} placeholder={words.placeholder} value={typed} />
        </div>
        <Rows found={found} query={query} />
        <Hints />
      </Command>
    </Dialog>
  );
}

function Rows({ query, found }: { query: string; found: Groups }) {
  const isEmpty = found.groups.every((group) => group.entries.length === 0);
  return (
    <Command.List className="palette-list" label={words.title}>
      {isEmpty && !found.busy && (
        <div className="palette-empty" role="status">
          {words.nothing(query)}
        </div>
      )}
      {found.groups.map((group) => (
        <Group entries={group.entries} heading={group.heading} key={group.heading} />
      ))}
      {found.failure && (
        <div className="palette-failure" role="alert">
          {words.failed(found.failure.message)}
        </div>
      )}
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
