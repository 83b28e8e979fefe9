/** What there is to know of sync in a glance: when, what waits, on which devices. */
import type { ReactNode } from "react";
import * as bridge from "../../bridge";
import { Button, Icon, Skeleton } from "../../components";
import { act } from "../../store/act";
import { useDevices } from "../../store/queries";
import { show } from "../../store/view";
import { text } from "../../text";
import { useDiagnostics } from "./useDiagnostics";
import { Ago, useAgo } from "./useAgo";
import { iconOf, tone } from "./words";

type Props = { status: bridge.SyncStatus; words: string; onLeave: () => void };

export function SyncPanel({ status, words, onLeave }: Props) {
  const hasAccount = status.state.at !== "local_only";
  const go = (page: () => void) => () => {
    onLeave();
    page();
  };
  return (
    <div className="sync-panel">
      <div className="sync-panel-head" data-tone={tone(status.state)}>
        <Icon name={iconOf(status.state)} size={18} />
        <div>
          <p className="sync-panel-words">{words}</p>
          <About state={status.state} />
        </div>
      </div>
      {hasAccount && <Facts status={status} />}
      <NeedsYou counts={status.counts} go={go} />
      {hasAccount && <Devices />}
      <Foot go={go} hasAccount={hasAccount} status={status} />
    </div>
  );
}

function About({ state }: { state: bridge.SyncState }) {
  const about = state.at === "paused" ? text.sync.pauses[state.why].about : text.sync.about[state.at];
  return about === undefined ? null : <p className="sync-panel-about">{about}</p>;
}

function Facts({ status }: { status: bridge.SyncStatus }) {
  const { counts, synced_at } = status;
  const last = useAgo(synced_at);
  const oldest = useAgo(counts.oldest_at);
  return (
    <dl className="sync-facts">
      <Fact name={text.sync.lastSync}>{last ?? text.sync.never}</Fact>
      <Fact name={text.sync.waiting}>
        {counts.waiting === 0 ? text.sync.nothingWaits : oldest === null ? text.sync.changes(counts.waiting) : text.sync.waits(counts.waiting, oldest)}
      </Fact>
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

type Go = (page: () => void) => () => void;

function NeedsYou({ counts, go }: { counts: bridge.Counts; go: Go }) {
  if (counts.parked === 0 && counts.conflicts === 0) return null;
  return (
    <div className="sync-panel-links">
      {counts.parked > 0 && (
        <PanelLink icon="cloudStuck" onClick={go(() => show.settings("sync", "parked"))}>
          {text.sync.needYou(counts.parked)}
        </PanelLink>
      )}
      {counts.conflicts > 0 && (
        <PanelLink icon="branch" onClick={go(() => show.settings("sync", "conflicts"))}>
          {text.sync.conflicts(counts.conflicts)}
        </PanelLink>
      )}
    </div>
  );
}

function PanelLink({ icon, onClick, children }: { icon: "cloudStuck" | "branch"; onClick: () => void; children: ReactNode }) {
  return (
    <button className="sync-panel-link" onClick={onClick} type="button">
      <Icon name={icon} />
      <span>{children}</span>
      <Icon name="chevronRight" size={14} />
    </button>
  );
}

/** So many are named; the account page has all. */
const DEVICES_SHOWN = 5;

function Devices() {
  const { data, isPending } = useDevices();
  if (isPending) return <Skeleton lines={2} />;
  const devices = data?.devices.filter((device) => device.revoked_at === null) ?? [];
  if (devices.length === 0) return null;
  return (
    <section aria-label={text.sync.devices} className="sync-devices">
      <h3 className="sync-panel-heading">{text.sync.devices}</h3>
      <ul>
        {devices.slice(0, DEVICES_SHOWN).map((device) => (
          <li key={device.id}>
            <Icon name="computer" size={14} />
            <span className="sync-device-name">{device.name}</span>
            <span className="sync-device-seen">
              {device.current ? text.sync.thisComputer : device.last_seen_at !== null && <Ago at={device.last_seen_at} words={text.sync.lastSeen} />}
            </span>
          </li>
        ))}
      </ul>
      {data?.unasked && <p className="sync-panel-about">{text.sync.devicesUnasked}</p>}
    </section>
  );
}

function Foot({ status, hasAccount, go }: { status: bridge.SyncStatus; hasAccount: boolean; go: Go }) {
  const diagnostics = useDiagnostics();
  const toAccount = go(() => show.settings("account"));
  if (!hasAccount) {
    return (
      <div className="sync-panel-foot">
        <Button onClick={toAccount} size="small" tone="primary">
          {text.sync.attach}
        </Button>
      </div>
    );
  }
  const busy = status.state.at === "syncing" || status.state.at === "connecting";
  return (
    <>
      <div className="sync-panel-foot">
        <Button aria-busy={busy} icon="sync" onClick={() => act(bridge.syncNow)} size="small">
          {text.sync.now}
        </Button>
        <Button icon="copy" onClick={diagnostics.copy} size="small" tone="quiet">
          {text.sync.diagnostics}
        </Button>
        <Button onClick={toAccount} size="small" tone="quiet">
          {text.sync.account}
        </Button>
      </div>
      <p className="sync-panel-about" role="status">
        {diagnostics.said}
      </p>
    </>
  );
}
