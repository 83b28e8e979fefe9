/** What would come over, before anything does. */
import * as bridge from "../../bridge";
import { Banner, Button } from "../../components";
import { act } from "../../store/act";
import { text } from "../../text";
import { span } from "../../text/import";
import { size } from "../../text/views";
import { Row } from "../settings/Row";
import { Select } from "../settings/Select";
import { Counts } from "./Counts";
import { hasNew, planRows } from "./rows";
import { backToPeople, namesOf, requestOf, restart, setZone } from "./flow";
import { Skipped } from "./Skipped";
import { Stage } from "./Stage";
import { zoneHere, ZONES, zoneName } from "./zone";

const words = text.imports.plan;

type Props = { source: bridge.FoundSource; everyone: bridge.Plan; users: string[]; planned: bridge.PlannedImport; zone: number };

export function PlanView({ source, everyone, users, planned, zone }: Props) {
  const { plan, free_bytes } = planned;
  const disk = plan.disk_bytes;
  const isNew = hasNew(plan);
  const isTight = isNew && free_bytes !== null && free_bytes < disk;
  const start = () =>
    act(async () => {
      await bridge.importStart(requestOf(source, users, zone));
      restart();
    });
  return (
    <Stage about={<From names={namesOf(everyone, users)} plan={plan} />} title={words.title}>
      <Counts fresh={words.fresh} rows={planRows(plan)} />
      {plan.duplicates > 0 && isNew && <p className="import-line">{words.duplicates(plan.duplicates)}</p>}
      <Skipped plan={plan} />
      {plan.assumptions["time_zone"] !== undefined && isNew && <Zone onChange={setZone} zone={zone} />}
      {isNew ? (
        <p className="setting-about">
          {words.needs(size(disk), span(plan.seconds * 1000))} {words.backup}
        </p>
      ) : (
        <Banner>{words.nothingNew}</Banner>
      )}
      {isTight && <Banner tone="warning">{words.tooLarge(size(disk), size(free_bytes))}</Banner>}
      <div className="import-actions">
        <Button onClick={start} tone={isNew ? "primary" : "plain"}>
          {isNew ? words.start(Math.max(0, plan.conversations - plan.already_here.conversations)) : words.again}
        </Button>
        {everyone.people.length > 1 && <Button onClick={() => backToPeople(source, everyone, users)}>{words.people}</Button>}
        <Button onClick={restart} tone="quiet">
          {words.other}
        </Button>
      </div>
    </Stage>
  );
}

function From({ plan, names }: { plan: bridge.Plan; names: string[] }) {
  return (
    <>
      {words.from(plan.name, plan.version)}
      {names.length > 0 && ` · ${names.join(", ")}`}
      <span className="card-path import-path">{plan.path}</span>
    </>
  );
}

function Zone({ zone, onChange }: { zone: number; onChange: (zone: number) => void }) {
  const here = zoneHere();
  const option = (minutes: number) => ({ value: String(minutes), label: zoneName(minutes) });
  const groups = [
    { label: words.zoneHere, options: [option(here)] },
    { label: words.zoneOthers, options: ZONES.filter((minutes) => minutes !== here).map(option) },
  ];
  return (
    <Row about={words.zoneAbout} title={words.zone}>
      <Select groups={groups} label={words.zone} onChange={(value) => onChange(Number(value))} value={String(zone)} />
    </Row>
  );
}
