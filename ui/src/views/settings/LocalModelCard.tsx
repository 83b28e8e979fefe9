import { useState } from "react";
import * as bridge from "../../bridge";
import { Confirm, Icon } from "../../components";
import { useModels } from "../../store/queries";
import { text } from "../../text";
import { size } from "../../text/views";
import { inWords } from "../locked/useOpening";
import { LocalModelActions } from "./LocalModelActions";
import { useDoing } from "./useDoing";

const words = text.settings.models;

/** A model of this computer: what it is, where it stands, what can be done. */
export function LocalModelCard({ model }: { model: bridge.LocalModel }) {
  const doing = useDoing();
  const [removing, setRemoving] = useState(false);
  const isDefault = useModels().data?.some((entry) => entry.is_default && entry.model === `local/${model.id}`) ?? false;
  return (
    <li className="card">
      <div className="card-text">
        <div className="card-head">
          <span className="card-title">{model.name}</span>
          {isDefault && (
            <span className="card-badge">
              <Icon name="check" size={12} />
              {words.isDefault}
            </span>
          )}
        </div>
        <p className="setting-about">{model.about}</p>
        <p className="card-facts">
          <span>{size(model.bytes)}</span>
          <span>{model.url === null ? words.ownFile : model.license}</span>
        </p>
        <Standing model={model} />
        {doing.failure && <Problem failure={doing.failure} />}
      </div>
      <LocalModelActions busy={doing.busy} isDefault={isDefault} model={model} onRemove={() => setRemoving(true)} run={doing.run} />
      {removing && (
        <Confirm action={words.remove} onClose={() => setRemoving(false)} onConfirm={() => bridge.removeModel(model.id)} title={words.removeTitle(model.name)}>
          {model.url === null ? words.forgetText : words.removeText(size(model.bytes))}
        </Confirm>
      )}
    </li>
  );
}

/** How far it is, or what is wrong with it. */
function Standing({ model }: { model: bridge.LocalModel }) {
  const { state } = model;
  switch (state.at) {
    case "downloading":
      return <Progress model={model} received={state.received} said={words.received(size(state.received), size(state.total))} total={state.total} />;
    case "paused":
      return (
        <>
          <Progress model={model} received={state.received} said={words.paused(size(state.received), size(model.bytes))} total={model.bytes} />
          {state.failure && <Problem failure={state.failure} />}
        </>
      );
    case "broken":
      return <Problem failure={state.failure} />;
    case "ready":
      return model.url === null ? <p className="card-path">{state.path}</p> : null;
    case "absent":
      return null;
  }
}

function Progress({ model, received, total, said }: { model: bridge.LocalModel; received: number; total: number; said: string }) {
  return (
    <div className="progress">
      <progress aria-label={words.progress(model.name)} max={Math.max(total, 1)} value={Math.min(received, total)} />
      <span>{said}</span>
    </div>
  );
}

function Problem({ failure }: { failure: bridge.Failure }) {
  return (
    <p className="field-error setting-about" role="alert">
      {inWords(failure)}
    </p>
  );
}
