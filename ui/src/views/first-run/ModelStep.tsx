import { useState } from "react";
import type { LocalModel, ModelEntry } from "../../bridge";
import { Button, FailureState, Icon, Skeleton } from "../../components";
import { useModels, useProviders } from "../../store/queries";
import { text } from "../../text";
import { AddProvider } from "../settings/AddProvider";
import { EditProvider } from "../settings/EditProvider";
import { LocalModelCard } from "../settings/LocalModelCard";
import { useDownloads } from "../settings/useDownloads";

const words = text.firstRun.model;

export function ModelStep() {
  const local = useDownloads();
  const answering = useModels().data?.find((entry) => entry.is_default && entry.available);
  return (
    <>
      <h1 className="first-run-title">{words.title}</h1>
      <p className="first-run-about">{words.about}</p>
      {answering ? <Answering entry={answering} /> : <p className="first-run-about">{words.none}</p>}
      {local.isError ? (
        <FailureState failure={local.error} onRetry={() => void local.refetch()} />
      ) : local.data === undefined ? (
        <Skeleton lines={4} />
      ) : (
        <Catalogue isFolded={answering !== undefined} models={local.data.filter((model) => `local/${model.id}` !== answering?.model)} />
      )}
      <Provider />
    </>
  );
}

function Answering({ entry }: { entry: ModelEntry }) {
  const isLocal = entry.provider_kind === "local";
  return (
    <section className="first-run-box first-run-chosen">
      <Icon name={isLocal ? "computer" : "cloud"} size={20} />
      <div>
        <div className="first-run-name">{isLocal ? words.onThisComputer(entry.name) : entry.name}</div>
        <p className="setting-about">{isLocal ? words.readyText : entry.provider_name}</p>
      </div>
      <span className="first-run-check">
        <Icon name="check" />
      </span>
    </section>
  );
}

/** The catalogue stands open where nothing can answer yet, and while something is coming. */
function Catalogue({ models, isFolded }: { models: LocalModel[]; isFolded: boolean }) {
  const isComing = models.some((model) => model.state.at === "downloading");
  const [open, setOpen] = useState(!isFolded || isComing);
  if (models.length === 0) return null;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)} open={open}>
      <summary className="first-run-more">{isFolded ? words.moreLocal : words.local}</summary>
      <ul className="cards first-run-models">
        {models.map((model) => (
          <LocalModelCard key={model.id} model={model} />
        ))}
      </ul>
      {isComing && (
        <p className="setting-about" role="status">
          {words.downloading}
        </p>
      )}
    </details>
  );
}

function Provider() {
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<string | null>(null);
  const edited = useProviders().data?.find((provider) => provider.id === editing);
  return (
    <section className="first-run-box first-run-chosen">
      <Icon name="cloud" size={20} />
      <div>
        <div className="first-run-name">{words.provider}</div>
        <p className="setting-about">{words.providerText}</p>
      </div>
      <span className="first-run-check">
        <Button onClick={() => setAdding(true)} size="small">
          {words.providerAdd}
        </Button>
      </span>
      {adding && (
        <AddProvider
          onAdded={(id) => {
            setAdding(false);
            setEditing(id);
          }}
          onClose={() => setAdding(false)}
        />
      )}
      {edited && <EditProvider key={edited.id} onClose={() => setEditing(null)} provider={edited} />}
    </section>
  );
}
