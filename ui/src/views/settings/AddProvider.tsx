import { useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, Dialog, FailureState, Skeleton } from "../../components";
import { useProviders } from "../../store/queries";
import { toast } from "../../store/toast";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { checkProvider, idFrom, isFine } from "./provider";
import { ProviderFields } from "./ProviderFields";
import { useDoing } from "./useDoing";
import { usePresets } from "./usePresets";

const words = text.settings.provider;
const CUSTOM: bridge.ProviderConfig = { id: "", kind: "openai", name: "", base_url: "", ca_file: null, models: [] };

type Props = { onAdded: (id: string) => void; onClose: () => void };

/** Adds a provider: first which one, then its key. */
export function AddProvider({ onAdded, onClose }: Props) {
  const taken = useProviders().data?.map((provider) => provider.id) ?? [];
  const [chosen, setChosen] = useState<bridge.ProviderConfig | null>(null);
  if (chosen === null) return <Which onChoose={(preset) => setChosen({ ...preset, id: preset.id && idFrom(preset.id, taken) })} onClose={onClose} taken={taken} />;
  return <Details isCustom={chosen.id === ""} onAdded={onAdded} onClose={onClose} start={chosen} taken={taken} />;
}

function Which({ taken, onChoose, onClose }: { taken: string[]; onChoose: (preset: bridge.ProviderConfig) => void; onClose: () => void }) {
  const presets = usePresets();
  return (
    <Dialog onClose={onClose} open title={words.addTitle}>
      <div className="dialog-body">
        {presets.isError && <FailureState failure={presets.error} onRetry={() => void presets.refetch()} />}
        {presets.isPending && <Skeleton lines={5} />}
        <ul aria-label={words.which} className="presets">
          {presets.data?.map((preset) => (
            <li key={preset.id}>
              <Preset about={preset.base_url} name={preset.name} note={taken.includes(preset.id) ? words.added : null} onChoose={() => onChoose(preset)} />
            </li>
          ))}
          {!presets.isPending && (
            <li>
              <Preset about={words.customAbout} name={words.custom} note={null} onChoose={() => onChoose(CUSTOM)} />
            </li>
          )}
        </ul>
      </div>
    </Dialog>
  );
}

function Preset({ name, about, note, onChoose }: { name: string; about: string; note: string | null; onChoose: () => void }) {
  return (
    <button className="preset" onClick={onChoose} type="button">
      <span className="preset-name">
        {name}
        {note && <span className="card-badge">{note}</span>}
      </span>
      <span className="preset-about">{about}</span>
    </button>
  );
}

type DetailsProps = Props & { start: bridge.ProviderConfig; isCustom: boolean; taken: string[] };

function Details({ start, isCustom, taken, onAdded, onClose }: DetailsProps) {
  const [config, setConfig] = useState(start);
  const [key, setKey] = useState("");
  const [asked, setAsked] = useState(false);
  const doing = useDoing();
  // A short name of the person's own is kept; else it follows the name.
  const id = config.id || idFrom(config.name, taken);
  const whole = { ...config, id, name: config.name.trim(), base_url: config.base_url.trim() };
  const errors = checkProvider(whole, taken);
  const add = async () => {
    setAsked(true);
    if (!isFine(errors)) return;
    if (await doing.run(() => addWithKey(whole, key))) onAdded(id);
  };
  const footer = (
    <>
      <Button onClick={onClose}>{text.cancel}</Button>
      <Button disabled={doing.busy} onClick={() => void add()} tone="primary">
        {doing.busy ? words.saving : words.saveAdd}
      </Button>
    </>
  );
  return (
    <Dialog footer={footer} onClose={onClose} open title={start.name || words.custom}>
      <div className="dialog-body provider-form">
        <ProviderFields config={config} errors={asked ? errors : null} isNew={isCustom} keyFirst={!isCustom} keyText={key} onChange={setConfig} onKey={setKey} />
        {doing.failure && <Banner tone="failure">{inWords(doing.failure)}</Banner>}
      </div>
    </Dialog>
  );
}

/** The provider stays when only its key could not be stored: the next dialog asks for the key again. */
async function addWithKey(config: bridge.ProviderConfig, key: string): Promise<void> {
  await bridge.saveProvider(config);
  if (key.trim() === "") return;
  await bridge.setKey(config.id, key).catch((error: unknown) => toast.failure(bridge.asFailure(error)));
}
