/** What needs a person, what lost against another device, and how well it goes. */
import type { ReactNode } from "react";
import { Button, EmptyState, Segments } from "../../../components";
import { useSyncStatus } from "../../../store/queries";
import { show, type SyncPart, useView } from "../../../store/view";
import { text } from "../../../text";
import { Conflicts } from "./Conflicts";
import { Health } from "./Health";
import { Parked } from "./Parked";
import "../sync.css";
import "./page.css";

const words = text.sync.page;
const PARTS = { parked: Parked, conflicts: Conflicts, health: Health } as const satisfies Record<SyncPart, () => ReactNode>;

export function SyncPage() {
  const part = useView(({ view }) => (view.at === "settings" ? view.part : "parked"));
  const status = useSyncStatus().data;
  const counts = { parked: status?.counts.parked ?? 0, conflicts: status?.counts.conflicts ?? 0, health: 0 };
  const options = (Object.keys(PARTS) as SyncPart[]).map((value) => ({ value, label: words.counted(words.parts[value], counts[value]) }));
  const Inside = PARTS[part];
  // What was measured of the database is there without an account too.
  const isLocal = status?.state.at === "local_only" && part !== "health";
  return (
    <div className="sync-page">
      <Segments label={text.settings.pages.sync} onChange={(value) => show.settings("sync", value)} options={options} value={part} />
      {isLocal ? <Local /> : <Inside />}
    </div>
  );
}

const Local = () => (
  <EmptyState icon="computer" title={words.local}>
    {words.localHint}
    <div>
      <Button onClick={() => show.settings("account")}>{text.sync.attach}</Button>
    </div>
  </EmptyState>
);
