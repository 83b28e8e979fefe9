import * as bridge from "../../bridge";
import { Button, Icon } from "../../components";
import { act } from "../../store/act";
import { useModels } from "../../store/queries";
import { text } from "../../text";

const words = text.firstRun.welcome;

export function Welcome({ state }: { state: Extract<bridge.AppState, { at: "ready" }> }) {
  const ready = useModels().data?.find((entry) => entry.provider_kind === "local" && entry.available);
  return (
    <>
      <h1 className="first-run-title">{words.title}</h1>
      <p className="first-run-about">{words.about}</p>
      <section className="first-run-box">
        <h2 className="first-run-name">{words.where}</h2>
        <div className="data-folder">
          <code className="data-path">{state.data_dir}</code>
          <Button icon="folder" onClick={() => act(bridge.openDataDir)} size="small">
            {words.openFolder}
          </Button>
        </div>
        <p className="setting-about">{words.encrypted(state.key)}</p>
      </section>
      {ready && (
        <p className="first-run-ready">
          <Icon name="computer" />
          {words.readyNow(ready.name)}
        </p>
      )}
    </>
  );
}
