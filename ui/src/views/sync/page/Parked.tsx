/** Changes that the server refused for good: what, why, what helps, and what a person decides. */
import { useState } from "react";
import * as bridge from "../../../bridge";
import { Button, Confirm, EmptyState, FailureState, Skeleton } from "../../../components";
import { act } from "../../../store/act";
import { client } from "../../../store/client";
import { keys } from "../../../store/keys";
import { useParked } from "../../../store/queries";
import { toast } from "../../../store/toast";
import { show } from "../../../store/view";
import { text } from "../../../text";
import { when } from "../../thread/format";

const words = text.sync.parked;

const readAgain = () => client.invalidateQueries({ queryKey: keys.sync });

export function Parked() {
  const { data, error, refetch } = useParked();
  const [discarding, setDiscarding] = useState<bridge.ParkedView | null>(null);
  if (data === undefined) return error === null ? <Skeleton lines={4} /> : <FailureState failure={error} onRetry={() => void refetch()} />;
  if (data.length === 0) {
    return (
      <EmptyState icon="check" title={words.none}>
        {words.noneHint}
      </EmptyState>
    );
  }
  return (
    <>
      <p className="setting-about">{words.about}</p>
      <ul className="cards">
        {data.map((parked) => (
          <Row key={parked.n} onDiscard={() => setDiscarding(parked)} parked={parked} />
        ))}
      </ul>
      {discarding && (
        <Confirm
          action={words.discard}
          onClose={() => setDiscarding(null)}
          onConfirm={() => bridge.discardParked(discarding.n).then(readAgain)}
          title={words.discardTitle}
        >
          {words.discardText}
        </Confirm>
      )}
    </>
  );
}

function Row({ parked, onDiscard }: { parked: bridge.ParkedView; onDiscard: () => void }) {
  const { n, what, conversation_id, message_id } = parked;
  const retry = () =>
    act(async () => {
      await bridge.retryParked(n);
      toast.say(words.sent);
      await readAgain();
    });
  return (
    <li className="card trouble">
      <div className="card-text">
        <h3 className="trouble-what">{what}</h3>
        {parked.text !== "" && (
          <p className="trouble-text" dir="auto">
            {parked.text}
          </p>
        )}
        <p className="trouble-why">
          {parked.reason} {parked.hint}
        </p>
        <p className="card-facts">
          <span>{when(parked.created_at)}</span>
          <span>{words.attempts(parked.attempts)}</span>
          <span>{words.code(parked.code)}</span>
        </p>
        {parked.behind > 0 && <p className="trouble-behind">{words.behind(parked.behind)}</p>}
        <div className="trouble-actions">
          <Button aria-label={words.retryNamed(what)} onClick={retry} size="small">
            {words.retry}
          </Button>
          {conversation_id !== null && (
            <Button aria-label={words.editNamed(what)} onClick={() => show.chat(conversation_id, message_id)} size="small">
              {words.edit}
            </Button>
          )}
          <Button aria-label={words.discardNamed(what)} onClick={onDiscard} size="small" tone="quiet">
            {words.discard}
          </Button>
        </div>
      </div>
    </li>
  );
}
