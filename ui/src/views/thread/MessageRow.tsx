/** One message of the thread. */
import { memo, type ReactNode, useState } from "react";
import * as bridge from "../../bridge";
import { Button, Icon, IconButton, Menu, MenuHeading, MenuItem } from "../../components";
import { SHORTCUTS } from "../../keys/registry";
import { Markdown } from "../../markdown";
import { act } from "../../store/act";
import { toast } from "../../store/toast";
import { text } from "../../text";
import { ConflictChip } from "../sync/ConflictChip";
import { SyncMark } from "../sync/SyncMark";
import { useMessageConflicts } from "../sync/useThreadConflicts";
import { EditBox } from "./EditBox";
import { modelName, when } from "./format";
import { useLive } from "./live";
import { useThreadModels } from "./models";
import { isArriving, isOpen } from "./page";
import { StateLine } from "./StateLine";

type Props = {
  message: bridge.ThreadMessage;
  /** The question above, where that may still be edited instead of waiting. */
  question: bridge.ThreadMessage | null;
  isLast: boolean;
  flash: boolean;
  editing: boolean;
  onEdit: (id: bridge.MessageId | null) => void;
};

export const MessageRow = memo(function MessageRow(props: Props) {
  const { message, flash } = props;
  const className = `message message-${message.role}${flash ? " flash" : ""}`;
  return (
    <article aria-label={speaker(message)} className={className} data-message={message.id} data-state={message.state} tabIndex={-1}>
      {message.role === "user" ? <Question {...props} /> : <Answer {...props} />}
    </article>
  );
});

function Question({ message, editing, onEdit }: Props) {
  if (editing) return <EditBox message={message} onClose={() => onEdit(null)} />;
  return (
    <>
      <div className="said" dir="auto">
        <PlainText content={message.content} />
        {message.content_raw !== null && <p className="said-note">{text.thread.wholeText}</p>}
        <SyncMark id={message.id} />
      </div>
      <MessageConflicts id={message.id} />
      <Tools>
        <Branches message={message} />
        <Copy content={message.content} />
        <IconButton light icon="pencil" label={text.thread.edit} onClick={() => onEdit(message.id)} size="small" />
      </Tools>
    </>
  );
}

function Answer({ message, question, isLast, onEdit }: Props) {
  const arriving = isArriving(message);
  const content = useLive(message.id, arriving, message.content);
  const onEditQuestion = question === null ? null : () => onEdit(question.id);
  return (
    <>
      {message.role !== "assistant" && <div className="message-role">{speaker(message)}</div>}
      {content !== "" && <Markdown source={content} streaming={arriving} />}
      <StateLine message={message} onEditQuestion={onEditQuestion} />
      <MessageConflicts id={message.id} />
      {!isOpen(message) && <Meta isLast={isLast} message={message} />}
    </>
  );
}

function Meta({ message, isLast }: { message: bridge.ThreadMessage; isLast: boolean }) {
  const models = useThreadModels();
  const parts = [
    message.role === "assistant" && message.model !== null && modelName(message.model, models),
    when(message.created_at),
    message.tokens_out !== null && text.thread.tokens(message.tokens_out),
    message.cost_micros !== null && message.cost_micros > 0 && text.thread.cost(message.cost_micros),
  ].filter((part) => typeof part === "string");
  const about = message.first_token_ms === null ? undefined : text.thread.firstToken(message.first_token_ms);
  return (
    <div className={isLast ? "meta meta-last" : "meta"}>
      <span className="meta-text" title={about}>
        {parts.join(" · ")}
      </span>
      <Tools>
        <Branches message={message} />
        {message.content !== "" && <Copy content={message.content} shortcut={isLast ? SHORTCUTS.copyAnswer.keys : undefined} />}
        {message.role === "assistant" && <Regenerate isLast={isLast} message={message} />}
      </Tools>
      <SyncMark id={message.id} />
    </div>
  );
}

function MessageConflicts({ id }: { id: bridge.MessageId }) {
  const conflicts = useMessageConflicts(id);
  if (conflicts.length === 0) return null;
  return (
    <div className="message-conflict">
      <ConflictChip conflicts={conflicts} />
    </div>
  );
}

const Tools = ({ children }: { children: ReactNode }) => <div className="tools">{children}</div>;

function Regenerate({ message, isLast }: { message: bridge.ThreadMessage; isLast: boolean }) {
  const [near, setNear] = useState(false);
  const models = useThreadModels();
  const others = isLast || near ? models.filter((one) => one.available) : [];
  // The menu is made when it can be reached: one for each of hundreds of rows would cost.
  const come = () => setNear(true);
  return (
    <span className="tools-pair" onFocus={come} onPointerEnter={come}>
      <IconButton
        light
        icon="retry"
        label={text.thread.regenerate}
        onClick={() => act(() => bridge.regenerate(message.id))}
        shortcut={isLast ? SHORTCUTS.regenerate.keys : undefined}
        size="small"
      />
      {others.length > 1 && (
        <Menu trigger={<IconButton light icon="chevronDown" label={text.thread.regenerateWith} size="small" />}>
          <MenuHeading>{text.thread.regenerateWith}</MenuHeading>
          {others.map((one) => (
            <MenuItem key={one.model} note={one.provider_name} onSelect={() => act(() => bridge.regenerate(message.id, one.model))}>
              {one.name}
            </MenuItem>
          ))}
        </Menu>
      )}
    </span>
  );
}

/** `‹ 2 / 3 ›`, where there is a choice. */
function Branches({ message }: { message: bridge.ThreadMessage }) {
  const { index, count, previous_id, next_id } = message.siblings;
  if (count < 2) return null;
  return (
    <span aria-label={text.thread.branchLabel(index + 1, count)} className="branches" role="group">
      <IconButton
        light
        disabled={previous_id === null}
        icon="chevronLeft"
        label={text.thread.previousBranch}
        onClick={() => previous_id !== null && act(() => bridge.chooseBranch(previous_id))}
        size="small"
      />
      <span>{text.thread.branch(index + 1, count)}</span>
      <IconButton
        light
        disabled={next_id === null}
        icon="chevronRight"
        label={text.thread.nextBranch}
        onClick={() => next_id !== null && act(() => bridge.chooseBranch(next_id))}
        size="small"
      />
    </span>
  );
}

function Copy({ content, shortcut }: { content: string; shortcut?: string | undefined }) {
  const [copied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard
      .writeText(content)
      .then(() => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1500);
      })
      .catch(() => toast.say(text.thread.copyFailed));
  return <IconButton light icon={copied ? "check" : "copy"} label={copied ? text.thread.copied : text.thread.copy} onClick={() => void copy()} shortcut={shortcut} size="small" />;
}

/** What a person wrote, as they wrote it; a very long text is folded. */
function PlainText({ content }: { content: string }) {
  const long = content.length > 4000;
  const [open, setOpen] = useState(false);
  const shown = long && !open ? content.slice(0, 2000) : content;
  return (
    <>
      <div className="plain">{shown}</div>
      {long && (
        <Button onClick={() => setOpen(!open)} size="small" tone="link">
          {open ? text.thread.showLess : text.thread.showAll(content.length)}
          <Icon name="chevronDown" size={14} />
        </Button>
      )}
    </>
  );
}

function speaker(message: bridge.ThreadMessage): string {
  switch (message.role) {
    case "user":
      return text.thread.you;
    case "assistant":
      return text.thread.assistant;
    case "system":
      return text.thread.system;
    case "tool":
      return text.thread.tool;
  }
}
