/** What came of an import: never a success where something differs. */
import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, FailureState, Icon, Skeleton } from "../../components";
import { act } from "../../store/act";
import { useImported, useImportReport, useImports } from "../../store/queries";
import { toast } from "../../store/toast";
import { show } from "../../store/view";
import { text } from "../../text";
import { day } from "../../text/views";
import { Group, Row } from "../settings/Row";
import { Counts } from "./Counts";
import { reportRows } from "./rows";
import { Skipped } from "./Skipped";
import { UndoImport } from "./UndoImport";

const words = text.imports.report;

/** `onLeave` is called when a person goes to one of the chats. */
type Props = { id: string; onLeave?: (() => void) | undefined };

export function ReportView({ id, onLeave }: Props) {
  const { data: report, error, refetch } = useImportReport(id);
  const past = useImports().data?.find((one) => one.id === id);
  if (report === undefined) return error === null ? <Skeleton lines={5} /> : <FailureState failure={error} onRetry={() => void refetch()} />;
  const isUndone = past?.state === "undone" && !report.rolled_back;
  return (
    <div className="import-report">
      <Outcome isUndone={isUndone} report={report} />
      <p className="setting-about import-about">
        {text.imports.plan.from(report.name, report.version)}
        <span className="card-path import-path">{report.path}</span>
      </p>
      {report.mismatches.length > 0 && <Mismatches of={report.mismatches} />}
      <Counts fresh={words.imported} rows={reportRows(report)} />
      <Skipped isOver plan={report} />
      {!isUndone && !report.rolled_back && <Chats id={id} onLeave={onLeave} />}
      <Keep id={id} report={report} undoUntil={past?.undo_until ?? null} />
    </div>
  );
}

function Outcome({ report, isUndone }: { report: bridge.Report; isUndone: boolean }) {
  const [title, about, tone] = outcomeOf(report, isUndone);
  return (
    <div className="import-outcome" data-tone={tone} role={tone === "bad" ? "alert" : undefined}>
      <Icon name={tone === "good" ? "check" : tone === "bad" ? "warning" : "restore"} size={20} />
      <div>
        <h4 className="import-outcome-title">{title}</h4>
        <p className="setting-about">{about}</p>
      </div>
    </div>
  );
}

function outcomeOf(report: bridge.Report, isUndone: boolean): [string, string, "good" | "bad" | "plain"] {
  if (isUndone) return [words.undone, words.undoneAbout, "plain"];
  if (report.rolled_back) return [words.rolledBack, words.rolledBackAbout, "bad"];
  if (!report.verified) return [words.wrong, words.wrongAbout(report.mismatches.length), "bad"];
  const isNone = report.imported.conversations + report.imported.messages + report.imported.documents === 0;
  return [isNone ? words.verifiedNone : words.verified(report.imported), words.verifiedAbout, "good"];
}

const Mismatches = ({ of }: { of: bridge.Mismatch[] }) => (
  <ul className="import-skips import-mismatches">
    {of.slice(0, 200).map(({ what, expected, found }) => (
      <li key={`${what} ${expected} ${found}`}>
        <p>{what}</p>
        <p className="import-where">{words.mismatch(expected, found)}</p>
      </li>
    ))}
  </ul>
);

function Chats({ id, onLeave }: Props) {
  const imported = useImported(id).data;
  if (imported === undefined || imported.all === 0) return null;
  const more = imported.all - imported.first.length;
  return (
    <Group title={words.chats}>
      <ul className="cards import-chats">
        {imported.first.map((chat) => (
          <li key={chat.id}>
            <button
              className="import-chat"
              dir="auto"
              onClick={() => {
                onLeave?.();
                show.chat(chat.id);
              }}
              type="button"
            >
              {chat.title || words.untitled}
            </button>
          </li>
        ))}
      </ul>
      {more > 0 && <p className="setting-about">{words.chatsMore(more)}</p>}
    </Group>
  );
}

function Keep({ id, report, undoUntil }: { id: string; report: bridge.Report; undoUntil: string | null }) {
  const [undoing, setUndoing] = useState(false);
  const save = (format: "txt" | "json") =>
    act(async () => {
      const path = await bridge.saveImportReport(id, format);
      if (path !== null) toast.say(words.saved(path));
    });
  return (
    <>
      {report.backup !== null && (
        <Row about={<span className="card-path">{report.backup}</span>} title={words.backup}>
          <Button icon="folder" onClick={() => act(bridge.openImportBackups)} size="small">
            {words.openBackups}
          </Button>
        </Row>
      )}
      <div className="import-actions">
        <Button onClick={() => save("txt")}>{words.saveText}</Button>
        <Button onClick={() => save("json")}>{words.saveJson}</Button>
        {undoUntil !== null && (
          <Button onClick={() => setUndoing(true)} tone={report.verified ? "quiet" : "danger"}>
            {words.undo}
          </Button>
        )}
      </div>
      {undoUntil !== null && <p className="setting-about">{words.undoUntil(day(undoUntil))}</p>}
      {undoing && <UndoImport id={id} onClose={() => setUndoing(false)} />}
    </>
  );
}
