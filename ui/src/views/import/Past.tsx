/** The imports that were run, each with its report and its undo. */
import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, Dialog } from "../../components";
import { act } from "../../store/act";
import { useImports, useImportState } from "../../store/queries";
import { text } from "../../text";
import { day } from "../../text/views";
import { Group } from "../settings/Row";
import { ReportView } from "./ReportView";
import { UndoImport } from "./UndoImport";

const words = text.imports.past;

export function Past() {
  const all = useImports().data;
  const at = useImportState().data?.at;
  const [reading, setReading] = useState<string | null>(null);
  const [undoing, setUndoing] = useState<string | null>(null);
  if (all === undefined || all.length === 0) return null;
  const isBusy = at === "running" || at === "pausing" || at === "planning";
  return (
    <Group title={words.title}>
      <ul className="cards import-list">
        {all.map((one) => (
          <Line past={one} isBusy={isBusy} key={one.id} onReport={() => setReading(one.id)} onUndo={() => setUndoing(one.id)} />
        ))}
      </ul>
      {reading !== null && (
        <Dialog onClose={() => setReading(null)} open title={text.imports.report.title} width="wide">
          <div className="dialog-body">
            <ReportView id={reading} onLeave={() => setReading(null)} />
          </div>
        </Dialog>
      )}
      {undoing !== null && <UndoImport id={undoing} onClose={() => setUndoing(null)} />}
    </Group>
  );
}

type LineProps = { past: bridge.ImportView; isBusy: boolean; onReport: () => void; onUndo: () => void };

function Line({ past, isBusy, onReport, onUndo }: LineProps) {
  const { id, name, path, state, imported, undo_until } = past;
  const date = day(past.began_at);
  const isOver = state !== "running";
  return (
    <li className="card" data-state={state}>
      <div className="card-text">
        <h4 className="card-title">{name}</h4>
        <p className="card-path">{path}</p>
        <p className="card-facts">
          <span>{date}</span>
          <span className={state === "failed" ? "card-lack" : undefined}>{words.states(state)}</span>
          {imported !== null && state === "done" && <span>{words.brought(imported)}</span>}
        </p>
      </div>
      <div className="card-actions">
        {isOver ? (
          <Button aria-label={words.reportNamed(name, date)} onClick={onReport} size="small">
            {words.report}
          </Button>
        ) : (
          !isBusy && (
            <Button aria-label={words.goOnNamed(name, date)} onClick={() => act(() => bridge.importGoOn(id))} size="small">
              {words.goOn}
            </Button>
          )
        )}
        {undo_until !== null && !isBusy && (
          <Button aria-label={words.undoNamed(name, date)} onClick={onUndo} size="small" tone="quiet">
            {words.undo}
          </Button>
        )}
      </div>
    </li>
  );
}
