/** An import that was paused, cut off, or could not go on: what came over is here. */
import { type ReactNode, useState } from "react";
import * as bridge from "../../bridge";
import { Button, Icon } from "../../components";
import { act } from "../../store/act";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { UndoImport } from "./UndoImport";

const words = text.imports;

export function Paused({ id, path }: { id: string | null; path: string }) {
  const [undoing, setUndoing] = useState(false);
  return (
    <Notice about={words.paused.about(path)} title={words.paused.title}>
      <Button onClick={() => act(() => bridge.importGoOn(id))} tone="primary">
        {words.paused.goOn}
      </Button>
      {id !== null && (
        <Button onClick={() => setUndoing(true)} tone="quiet">
          {words.paused.undo}
        </Button>
      )}
      {undoing && id !== null && <UndoImport id={id} onClose={() => setUndoing(false)} />}
    </Notice>
  );
}

export function Failed({ failure }: { failure: bridge.Failure }) {
  return (
    <Notice about={inWords(failure) ?? ""} role="alert" title={words.failed.title}>
      <Button onClick={() => act(() => bridge.importGoOn(null))}>{words.failed.goOn}</Button>
      <Button onClick={() => act(bridge.importSettle)} tone="quiet">
        {words.failed.close}
      </Button>
    </Notice>
  );
}

function Notice({ title, about, role, children }: { title: string; about: string; role?: "alert"; children: ReactNode }) {
  return (
    <section aria-label={title} className="import-notice" role={role}>
      <Icon name={role === "alert" ? "warning" : "pause"} size={18} />
      <div className="import-notice-body">
        <h3 className="import-notice-title">{title}</h3>
        <p className="setting-about">{about}</p>
        <div className="import-actions">{children}</div>
      </div>
    </section>
  );
}
