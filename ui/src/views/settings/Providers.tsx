import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, FailureState, Icon, Skeleton } from "../../components";
import { useProviders } from "../../store/queries";
import { text } from "../../text";
import { AddProvider } from "./AddProvider";
import { EditProvider } from "./EditProvider";
import { isNear } from "./provider";
import { Group } from "./Row";
import { usePresets } from "./usePresets";

const words = text.settings.models;

/** The services with a key of the person's own. */
export function Providers() {
  const providers = useProviders();
  // Read ahead, so that the dialog is whole when it opens.
  usePresets();
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<string | null>(null);
  const edited = providers.data?.find((provider) => provider.id === editing);
  const add = (
    <Button icon="plus" onClick={() => setAdding(true)} size="small">
      {words.add}
    </Button>
  );
  return (
    <Group about={words.providersAbout} action={add} title={words.providers}>
      {providers.isError ? (
        <FailureState failure={providers.error} onRetry={() => void providers.refetch()} />
      ) : providers.data === undefined ? (
        <Skeleton lines={3} />
      ) : (
        <List onEdit={setEditing} providers={providers.data} />
      )}
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
    </Group>
  );
}

function List({ providers, onEdit }: { providers: bridge.ProviderView[]; onEdit: (id: string) => void }) {
  if (providers.length === 0) return <p className="setting-about cards-none">{words.providersNone}</p>;
  return (
    <ul className="cards">
      {providers.map((provider) => (
        <li className="card" key={provider.id}>
          <div className="card-text">
            <span className="card-title">{provider.name || provider.id}</span>
            <p className="card-facts">
              <KeyState provider={provider} />
              <span>{words.offered(provider.models.length)}</span>
              <span className="card-url">{provider.base_url}</span>
            </p>
          </div>
          <div className="card-actions">
            <Button aria-label={words.editNamed(provider.name || provider.id)} onClick={() => onEdit(provider.id)} size="small">
              {words.edit}
            </Button>
          </div>
        </li>
      ))}
    </ul>
  );
}

function KeyState({ provider }: { provider: bridge.ProviderView }) {
  if (provider.has_key) {
    return (
      <span className="card-good">
        <Icon name="key" size={12} />
        {words.hasKey}
      </span>
    );
  }
  return isNear(provider.base_url) ? <span>{words.needsNoKey}</span> : <span className="card-lack">{words.noKey}</span>;
}
