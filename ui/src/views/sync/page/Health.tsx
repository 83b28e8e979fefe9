/** How well it goes, in numbers: read again every two seconds while it is shown. */
import type { ReactNode } from "react";
import * as bridge from "../../../bridge";
import { Button, FailureState, Icon, Skeleton } from "../../../components";
import { act } from "../../../store/act";
import { useHealth } from "../../../store/queries";
import { text } from "../../../text";
import { size } from "../../../text/views";
import { Group } from "../../settings/Row";
import { when } from "../../thread/format";
import { Ago } from "../useAgo";
import { useDiagnostics } from "../useDiagnostics";
import { useSyncWords } from "../useSyncWords";
import { iconOf, tone } from "../words";
import { Timings } from "./Timings";

const words = text.sync.health;
const AGAIN_MS = 2_000;

export function Health() {
  const { data, error, refetch } = useHealth(AGAIN_MS);
  if (data === undefined) return error === null ? <Skeleton lines={8} /> : <FailureState failure={error} onRetry={() => void refetch()} />;
  return (
    <>
      <Connection health={data} />
      <Group about={words.requestsAbout} title={words.requests}>
        <Timings none={words.requestsNone} timings={data.requests} />
      </Group>
      <Group about={words.queriesAbout} title={words.queries}>
        <Timings none={words.queriesNone} timings={data.queries} />
      </Group>
      <Failures failures={data.failures} />
      <Slow slow={data.slow} />
    </>
  );
}

function Connection({ health }: { health: bridge.Health }) {
  const { sync, doorbell, bytes } = health;
  const { counts, moved, state, cursor, synced_at } = sync;
  const said = useSyncWords(sync);
  const diagnostics = useDiagnostics();
  const isLocal = state.at === "local_only";
  return (
    <Group about={words.connectionAbout} title={words.connection}>
      <dl className="facts">
        <Fact name={words.state} wide>
          <span className="account-sync" data-tone={tone(state)}>
            <Icon name={iconOf(state)} size={14} />
            {said}
          </span>
        </Fact>
        <Fact name={words.doorbell} wide>
          {isLocal ? words.bellNone : doorbell === "up" ? words.bellUp : words.bellDown}
        </Fact>
        <Fact name={text.sync.lastSync}>{synced_at === null ? text.sync.never : <Ago at={synced_at} />}</Fact>
        <Fact name={words.version}>{cursor === null ? "–" : cursor.toLocaleString()}</Fact>
        <Fact name={words.waiting}>{counts.waiting.toLocaleString()}</Fact>
        <Fact name={words.parked}>{counts.parked.toLocaleString()}</Fact>
        <Fact name={words.pushed}>{words.rows(moved.pushed)}</Fact>
        <Fact name={words.conflicts}>{counts.conflicts.toLocaleString()}</Fact>
        <Fact name={words.pulled}>{words.rows(moved.pulled)}</Fact>
        <Fact name={words.size}>{size(bytes)}</Fact>
      </dl>
      <div className="account-actions facts-actions">
        {!isLocal && (
          <Button icon="sync" onClick={() => act(bridge.syncNow)} size="small">
            {text.sync.now}
          </Button>
        )}
        <Button icon="copy" onClick={diagnostics.copy} size="small">
          {text.sync.diagnostics}
        </Button>
        <span className="setting-about" role="status">
          {diagnostics.said}
        </span>
      </div>
    </Group>
  );
}

function Fact({ name, wide = false, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={wide ? "fact fact-wide" : "fact"}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Failures({ failures }: { failures: bridge.Failed[] }) {
  return (
    <Group title={words.failures}>
      {failures.length === 0 ? (
        <p className="setting-about cards-none">{words.failuresNone}</p>
      ) : (
        <Lines rows={failures.map(({ name, what, at }) => [when(at), words.name(name), what])} />
      )}
    </Group>
  );
}

function Slow({ slow }: { slow: bridge.Slow[] }) {
  return (
    <Group title={words.slow}>
      {slow.length === 0 ? (
        <p className="setting-about cards-none">{words.slowNone}</p>
      ) : (
        <Lines rows={slow.map(({ name, ms, at }) => [when(at), words.name(name), words.ms(ms)])} />
      )}
    </Group>
  );
}

/** When, what, and in which way: the latest first. */
function Lines({ rows }: { rows: [string, string, string][] }) {
  return (
    <ul className="lines">
      {rows.map(([at, what, how], n) => (
        <li key={`${at} ${n}`}>
          <span className="lines-at">{at}</span>
          <span className="lines-what">{what}</span>
          <span className="lines-how">{how}</span>
        </li>
      ))}
    </ul>
  );
}
