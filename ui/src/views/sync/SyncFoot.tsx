/** The sync words at the foot of the sidebar, and the panel behind them. */
import { useState } from "react";
import type { SyncStatus } from "../../bridge";
import { Icon, Popover } from "../../components";
import { useSyncStatus } from "../../store/queries";
import { text } from "../../text";
import { SyncPanel } from "./SyncPanel";
import { useSyncWords } from "./useSyncWords";
import { iconOf, needsYou, tone } from "./words";
import "./sync.css";

export function SyncFoot() {
  const status = useSyncStatus().data;
  // A place of the same height: nothing moves when the first word comes.
  return status === undefined ? <span className="sync-foot" /> : <Foot status={status} />;
}

/** Longer words get a line of their own, above the buttons. */
const LONG = 34;

function Foot({ status }: { status: SyncStatus }) {
  const [open, setOpen] = useState(false);
  const words = useSyncWords(status);
  const waiting = needsYou(status);
  const name = waiting === 0 ? text.sync.label(words) : `${text.sync.label(words)}. ${waitingWords(status)}`;
  const trigger = (
    <button aria-label={name} className={words.length > LONG ? "sync-foot sync-foot-long" : "sync-foot"} data-tone={tone(status.state)} title={words} type="button">
      <Icon name={iconOf(status.state)} />
      <span className="sync-foot-words">{words}</span>
      {waiting > 0 && <span className="sync-count">{waiting.toLocaleString()}</span>}
    </button>
  );
  return (
    <Popover label={text.sync.panel} onOpenChange={setOpen} open={open} side="top" trigger={trigger}>
      <SyncPanel onLeave={() => setOpen(false)} status={status} words={words} />
    </Popover>
  );
}

const waitingWords = ({ counts }: SyncStatus): string =>
  [counts.parked > 0 && text.sync.needYou(counts.parked), counts.conflicts > 0 && text.sync.conflicts(counts.conflicts)].filter(Boolean).join(", ");
