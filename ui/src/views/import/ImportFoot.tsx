/** An import that is under way, or wants a person, at the foot of the sidebar; nothing where there is none. */
import type { ImportState } from "../../bridge";
import { Icon } from "../../components";
import { useImportState } from "../../store/queries";
import { show } from "../../store/view";
import { text } from "../../text";
import "./import.css";

const words = text.imports.foot;

export function ImportFoot() {
  const state = useImportState().data;
  const said = state === undefined ? null : wordsOf(state);
  if (state === undefined || said === null) return null;
  return (
    <button aria-label={words.label(said)} className="import-foot" data-at={state.at} onClick={() => show.settings("import")} type="button">
      <Icon name={state.at === "failed" ? "warning" : state.at === "done" ? "check" : state.at === "paused" ? "pause" : "download"} size={14} />
      <span>{said}</span>
      {(state.at === "running" || state.at === "pausing") && <progress aria-hidden="true" max={1} value={state.moment.share} />}
    </button>
  );
}

function wordsOf(state: ImportState): string | null {
  switch (state.at) {
    case "idle":
    case "planning":
      return null;
    case "running":
      return words.running(text.imports.running.percent(state.moment.share));
    case "pausing":
      return words.pausing;
    case "paused":
      return words.paused;
    case "failed":
      return words.failed;
    case "done":
      return words.done;
  }
}
