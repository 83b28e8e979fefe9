/** What a message's state means, in a sentence, and what can be done about it. */
import { useEffect, useState } from "react";
import * as bridge from "../../bridge";
import { Button, Icon, type IconName, Menu, MenuItem } from "../../components";
import { act } from "../../store/act";
import { useModels, useProviders } from "../../store/queries";
import { show } from "../../store/view";
import { text } from "../../text";
import { age, words } from "./format";

type Props = { message: bridge.ThreadMessage; onEditQuestion: (() => void) | null };

export function StateLine({ message, onEditQuestion }: Props) {
  const { id, state, waiting } = message;
  switch (state) {
    case "done":
    case "streaming":
      return null;
    case "sending":
      return (
        <Line icon={null} label={message.model?.startsWith("local/") ? text.states.loadingModel : text.states.sending} quiet>
          <span aria-hidden="true" className="dots" />
        </Line>
      );
    case "queued":
      return <Queued message={message} onEditQuestion={onEditQuestion} />;
    case "retrying":
      return (
        <Line icon="clock" label={<Countdown until={waiting?.retry_at ?? null} why={waiting?.failure?.message ?? ""} />}>
          <Button onClick={() => act(() => bridge.retryNow(id))} size="small" tone="link">
            {text.states.retryNow}
          </Button>
          <Cancel id={id} />
        </Line>
      );
    case "needs_you":
      return <NeedsYou message={message} />;
    case "stopped":
      return (
        <Line icon="stop" label={message.metadata?.finish === "length" ? text.states.full : text.states.stopped}>
          {message.content !== "" && <Continue id={id} />}
          {message.content === "" && <Retry id={id} />}
        </Line>
      );
    case "interrupted":
      return (
        <Line icon="warning" label={message.content === "" ? text.states.interruptedNothing : text.states.interrupted(words(message.content))}>
          {message.content !== "" && <Continue id={id} />}
          <Retry id={id} />
          {message.content !== "" && (
            <Button onClick={() => act(() => bridge.keep(id))} size="small" tone="link">
              {text.states.keep}
            </Button>
          )}
        </Line>
      );
  }
}

function Line({ icon, label, quiet = false, children }: { icon: IconName | null; label: React.ReactNode; quiet?: boolean; children?: React.ReactNode }) {
  return (
    <div className={quiet ? "state state-quiet" : "state"}>
      {icon && <Icon name={icon} />}
      <div className="state-body">
        <span className="state-label">{label}</span>
        {children && <span className="state-actions">{children}</span>}
      </div>
    </div>
  );
}

function Queued({ message, onEditQuestion }: Props) {
  const { id, waiting, model } = message;
  const providers = useProviders().data;
  const models = useModels().data;
  const local = models?.find((one) => one.provider_kind === "local" && one.available && one.model !== model);
  if (waiting?.held) {
    return (
      <Line icon="clock" label={text.states.held(age(waiting.queued_at))}>
        <Button onClick={() => act(() => bridge.retryNow(id))} size="small" tone="link">
          {text.states.sendHeld}
        </Button>
        <Cancel id={id} />
      </Line>
    );
  }
  const provider = providers?.find((one) => model?.startsWith(`${one.id}/`))?.name;
  const offline = waiting?.failure != null;
  const label = waiting?.behind ? text.states.behind : !offline ? text.states.queuedTurn : provider ? text.states.queuedTo(provider) : text.states.queued;
  return (
    <Line icon="clock" label={label}>
      {offline && local && (
        <Button onClick={() => act(() => bridge.answerWith(id, local.model))} size="small" tone="link">
          {text.states.answerWith(local.name)}
        </Button>
      )}
      {onEditQuestion && (
        <Button onClick={onEditQuestion} size="small" tone="link">
          {text.states.edit}
        </Button>
      )}
      <Cancel id={id} />
    </Line>
  );
}

function NeedsYou({ message }: { message: bridge.ThreadMessage }) {
  const failure = message.waiting?.failure;
  const models = useModels().data?.filter((one) => one.available && one.model !== message.model) ?? [];
  const missing = failure?.code === "model_missing";
  return (
    <div className="state state-problem" role="alert">
      <Icon name="warning" />
      <div className="state-body">
        <span className="state-label">
          {failure?.message} {failure?.hint && <span className="state-hint">{failure.hint}</span>}
        </span>
        <span className="state-actions">
          {failure?.code === "key_rejected" && (
            <Button onClick={() => show.settings("models")} size="small" tone="link">
              {text.states.fixKey}
            </Button>
          )}
          {missing && models.length === 0 && (
            <Button onClick={() => show.settings("models")} size="small" tone="link">
              {text.states.chooseModel}
            </Button>
          )}
          {models.length > 0 && (
            <Menu
              trigger={
                <Button size="small" tone="link">
                  {text.states.anotherModel}
                </Button>
              }
            >
              {models.map((one) => (
                <MenuItem key={one.model} note={one.provider_name} onSelect={() => act(() => bridge.answerWith(message.id, one.model))}>
                  {one.name}
                </MenuItem>
              ))}
            </Menu>
          )}
          <Button onClick={() => act(() => bridge.retryNow(message.id))} size="small" tone="link">
            {text.states.retry}
          </Button>
          <Cancel id={message.id} />
        </span>
      </div>
    </div>
  );
}

const Cancel = ({ id }: { id: bridge.MessageId }) => (
  <Button onClick={() => act(() => bridge.stop(id))} size="small" tone="link">
    {text.states.cancel}
  </Button>
);

const Continue = ({ id }: { id: bridge.MessageId }) => (
  <Button onClick={() => act(() => bridge.continueAnswer(id))} size="small" tone="link">
    {text.states.continue}
  </Button>
);

const Retry = ({ id }: { id: bridge.MessageId }) => (
  <Button onClick={() => act(() => bridge.retryNow(id))} size="small" tone="link">
    {text.states.retry}
  </Button>
);

/** Counts down to a time, once a second. */
function Countdown({ until, why }: { until: bridge.Timestamp | null; why: string }) {
  const left = () => (until === null ? 0 : Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const tick = () => setSeconds(until === null ? 0 : Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return text.states.retrying(why, seconds);
}
