/** The chat's title and what can be done with it. */
import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, Dialog, IconButton, Menu } from "../../components";
import { SHORTCUTS } from "../../keys/registry";
import { act } from "../../store/act";
import { show, useView } from "../../store/view";
import { text } from "../../text";
import { ConversationMenu } from "../sidebar/ConversationMenu";
import { ConflictChip } from "../sync/ConflictChip";
import { Rename } from "../sidebar/Rename";
import type { Loaded } from "./page";

export function Header({ loaded, conflicts }: { loaded: Loaded | null; conflicts: bridge.ConflictView[] }) {
  const open = useView((state) => state.sidebarOpen);
  const [renaming, setRenaming] = useState(false);
  const [instructions, setInstructions] = useState(false);
  const conversation = loaded?.conversation ?? null;
  const title = conversation?.title || text.newChatTitle;
  return (
    <header className="page-head">
      {!open && (
        <>
          <IconButton icon="sidebar" label={text.sidebar.show} onClick={() => show.sidebar(true)} shortcut={SHORTCUTS.sidebar.keys} />
          <IconButton icon="plus" label={text.sidebar.newChat} onClick={() => show.chat(null)} shortcut={SHORTCUTS.newChat.keys} />
        </>
      )}
      {renaming && conversation ? (
        <Rename conversation={conversation} onDone={() => setRenaming(false)} />
      ) : (
        <h1 className="page-title" dir="auto" title={title}>
          {title}
        </h1>
      )}
      <ConflictChip conflicts={conflicts.filter((one) => one.message_id === null)} />
      {conversation && (
        <Menu trigger={<IconButton icon="more" label={text.sidebar.more(title)} />}>
          <ConversationMenu conversation={conversation} onInstructions={() => setInstructions(true)} onRename={() => setRenaming(true)} />
        </Menu>
      )}
      {conversation && instructions && <Instructions conversation={conversation} onClose={() => setInstructions(false)} />}
    </header>
  );
}

function Instructions({ conversation, onClose }: { conversation: bridge.Conversation; onClose: () => void }) {
  const [prompt, setPrompt] = useState(conversation.system_prompt ?? "");
  const save = () =>
    act(async () => {
      await bridge.setSystemPrompt(conversation.id, prompt.trim() === "" ? null : prompt.toWellFormed());
      onClose();
    });
  return (
    <Dialog
      footer={
        <>
          <Button onClick={onClose} tone="quiet">
            {text.cancel}
          </Button>
          <Button onClick={save} tone="primary">
            {text.save}
          </Button>
        </>
      }
      onClose={onClose}
      open
      title={text.thread.instructionsTitle}
    >
      <div className="dialog-body">
        <textarea aria-label={text.thread.instructionsTitle} className="input instructions" dir="auto" onChange={(event) => setPrompt(event.target.value)} value={prompt} />
        <p className="field-hint">{text.thread.instructionsHint}</p>
      </div>
    </Dialog>
  );
}
