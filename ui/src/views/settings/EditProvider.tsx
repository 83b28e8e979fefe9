import { useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, Confirm, Dialog } from "../../components";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { checkProvider, isFine } from "./provider";
import { ProviderFields } from "./ProviderFields";
import { ProviderModels } from "./ProviderModels";
import { useDoing } from "./useDoing";
import { useOffered } from "./useOffered";

const words = text.settings.provider;

/** Everything about one provider. */
export function EditProvider({ provider, onClose }: { provider: bridge.ProviderView; onClose: () => void }) {
  const [config, setConfig] = useState<bridge.ProviderConfig>(() => configOf(provider));
  const [key, setKey] = useState("");
  const [removing, setRemoving] = useState(false);
  const offered = useOffered(config.models);
  const saving = useDoing();
  const errors = checkProvider(config, []);
  const save = async () => {
    await bridge.saveProvider({ ...config, name: config.name.trim(), base_url: config.base_url.trim(), models: offered.chosen });
    if (key.trim() !== "") await bridge.setKey(config.id, key);
    setKey("");
  };
  const saveAndClose = async () => {
    if (isFine(errors) && (await saving.run(save))) onClose();
  };
  const footer = (
    <>
      <span className="foot-start">
        <Button onClick={() => setRemoving(true)} tone="danger">
          {words.remove}
        </Button>
      </span>
      <Button onClick={onClose}>{text.cancel}</Button>
      <Button disabled={saving.busy} onClick={() => void saveAndClose()} tone="primary">
        {saving.busy ? words.saving : words.save}
      </Button>
    </>
  );
  return (
    <Dialog footer={footer} onClose={onClose} open title={words.editTitle(provider.name || provider.id)}>
      <div className="dialog-body provider-form">
        <ProviderFields config={config} errors={errors} keyText={key} onChange={setConfig} onKey={setKey} stored={provider} />
        {/* What is typed is saved first: a key can only be tested where it is kept. */}
        <ProviderModels canTest={isFine(errors)} offered={offered} onTest={() => save().then(() => bridge.providerModels(config.id))} />
        {saving.failure && <Banner tone="failure">{inWords(saving.failure)}</Banner>}
      </div>
      {removing && (
        <Confirm
          action={words.remove}
          onClose={() => setRemoving(false)}
          onConfirm={() => bridge.removeProvider(provider.id).then(onClose)}
          title={words.removeTitle(provider.name || provider.id)}
        >
          {words.removeText}
        </Confirm>
      )}
    </Dialog>
  );
}

function configOf({ id, kind, name, base_url, ca_file, models }: bridge.ProviderView): bridge.ProviderConfig {
  return { id, kind, name, base_url, ca_file, models };
}
