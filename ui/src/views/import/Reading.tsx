import * as bridge from "../../bridge";
import { Button } from "../../components";
import { act } from "../../store/act";
import { useImportState } from "../../store/queries";
import { text } from "../../text";
import { Stage } from "./Stage";

const words = text.imports.reading;

export function Reading({ source }: { source: bridge.FoundSource }) {
  const state = useImportState().data;
  const soFar = state?.at === "planning" ? state.messages : 0;
  return (
    <Stage about={words.about} title={words.title(source.name)}>
      <div className="progress" role="status">
        <progress aria-label={words.title(source.name)} />
        <span>{words.soFar(soFar)}</span>
      </div>
      <div className="import-actions">
        <Button onClick={() => act(bridge.importPause)}>{words.cancel}</Button>
      </div>
    </Stage>
  );
}
