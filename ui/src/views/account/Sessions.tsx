/** The sign-ins that have not ended: where from, with which program, and ending one. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, Confirm, Skeleton } from "../../components";
import { keys } from "../../store/keys";
import { useSessions } from "../../store/queries";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { Group } from "../settings/Row";
import { Ago } from "../sync/useAgo";

const words = text.account.sessions;

export function Sessions() {
  const { data, error, refetch } = useSessions();
  return (
    <Group about={words.about} title={words.title}>
      {data !== undefined ? <List sessions={data} /> : error === null ? <Skeleton lines={2} /> : <Unasked failure={error} onRetry={() => void refetch()} />}
    </Group>
  );
}

/** Offline is no failure of this page: a quiet line, and a way to ask again. */
const Unasked = ({ failure, onRetry }: { failure: bridge.Failure; onRetry: () => void }) => (
  <p className="setting-about cards-none">
    {inWords(failure)}{" "}
    <Button onClick={onRetry} size="small" tone="link">
      {text.tryAgain}
    </Button>
  </p>
);

function List({ sessions }: { sessions: bridge.SessionView[] }) {
  const client = useQueryClient();
  const [ending, setEnding] = useState<bridge.SessionView | null>(null);
  if (sessions.length === 0) return <p className="setting-about cards-none">{words.none}</p>;
  const thisFirst = [...sessions].sort((a, b) => Number(b.current) - Number(a.current));
  return (
    <>
      <ul className="cards">
        {thisFirst.map((session) => (
          <Session key={session.id} onEnd={() => setEnding(session)} session={session} />
        ))}
      </ul>
      {ending && (
        <Confirm
          action={words.end}
          onClose={() => setEnding(null)}
          onConfirm={async () => client.setQueryData(keys.sessions, await bridge.endSession(ending.id))}
          title={words.endTitle}
        >
          {words.endText}
        </Confirm>
      )}
    </>
  );
}

function Session({ session, onEnd }: { session: bridge.SessionView; onEnd: () => void }) {
  const name = session.device_name ?? session.user_agent ?? words.unnamed;
  return (
    <li className="card card-short">
      <div className="card-text">
        <div className="card-head">
          <span className="card-title">{name}</span>
          {session.current && <span className="card-badge">{words.current}</span>}
        </div>
        <p className="card-facts">
          {session.ip !== null && <span>{words.from(session.ip)}</span>}
          {session.device_name !== null && session.user_agent !== null && <span>{session.user_agent}</span>}
          <span>
            <Ago at={session.created_at} words={words.begun} />
          </span>
          {session.refreshed_at !== null && (
            <span>
              <Ago at={session.refreshed_at} words={words.used} />
            </span>
          )}
        </p>
      </div>
      {!session.current && (
        <div className="card-actions">
          <Button aria-label={words.endNamed(name)} onClick={onEnd} size="small">
            {words.end}
          </Button>
        </div>
      )}
    </li>
  );
}
