import { Kbd } from "../../components";
import { SHORTCUTS } from "../../keys/registry";
import { useModels } from "../../store/queries";
import { text } from "../../text";

const words = text.firstRun.done;
const SHOWN = [SHORTCUTS.palette, SHORTCUTS.newChat, SHORTCUTS.shortcuts];

export function Done() {
  const models = useModels().data;
  const answering = models?.find((entry) => entry.is_default && entry.available);
  const shownName = answering?.provider_kind === "local" ? text.firstRun.model.onThisComputer(answering.name) : answering?.name;
  return (
    <>
      <h1 className="first-run-title">{words.title}</h1>
      {models && <p className="first-run-about">{shownName ? words.answers(shownName) : words.noModel}</p>}
      <p className="first-run-about">{words.about}</p>
      <dl className="first-run-keys">
        {SHOWN.map((shortcut) => (
          <div key={shortcut.keys}>
            <dt>
              <Kbd keys={shortcut.keys} />
            </dt>
            <dd>{shortcut.label}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
