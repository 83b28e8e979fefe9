import * as bridge from "../../bridge";
import { Banner, Button, FailureState, Skeleton } from "../../components";
import { useModels } from "../../store/queries";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { LocalModelCard } from "./LocalModelCard";
import { Providers } from "./Providers";
import { Group, Row } from "./Row";
import { Select } from "./Select";
import { useDoing } from "./useDoing";
import { useDownloads } from "./useDownloads";

const words = text.settings.models;

export function ModelsPage() {
  return (
    <>
      <DefaultModel />
      <LocalModels />
      <Providers />
    </>
  );
}

function DefaultModel() {
  const models = useModels();
  const doing = useDoing();
  if (models.data === undefined) return null;
  if (models.data.length === 0) return <Banner>{words.none}</Banner>;
  const current = models.data.find((entry) => entry.is_default)?.model ?? "";
  return (
    <Group>
      <Row about={words.chosenAbout} title={words.chosen}>
        <Select groups={byProvider(models.data, current)} label={words.chosen} onChange={(model) => void doing.run(() => bridge.setDefaultModel(model))} value={current} />
      </Row>
      {doing.failure && <Banner tone="failure">{inWords(doing.failure)}</Banner>}
    </Group>
  );
}

function byProvider(models: bridge.ModelEntry[], current: bridge.ModelRef) {
  const groups = new Map<string, { value: string; label: string; disabled: boolean }[]>();
  for (const entry of models) {
    const options = groups.get(entry.provider_name) ?? [];
    options.push({ value: entry.model, label: entry.reason ? `${entry.name} (${entry.reason})` : entry.name, disabled: !entry.available && entry.model !== current });
    groups.set(entry.provider_name, options);
  }
  return [...groups].map(([label, options]) => ({ label, options }));
}

/** What is on this computer, and what could be. */
function LocalModels() {
  const models = useDownloads();
  const doing = useDoing();
  const add = (
    <Button disabled={doing.busy} icon="plus" onClick={() => void doing.run(() => bridge.addLocalModel())} size="small">
      {words.addFile}
    </Button>
  );
  return (
    <Group about={words.localAbout} action={add} title={words.local}>
      {doing.failure && <Banner tone="failure">{inWords(doing.failure)}</Banner>}
      {models.isError ? (
        <FailureState failure={models.error} onRetry={() => void models.refetch()} />
      ) : models.data === undefined ? (
        <Skeleton lines={4} />
      ) : models.data.length === 0 ? (
        <p className="setting-about">{words.localNone}</p>
      ) : (
        <ul className="cards">
          {models.data.map((model) => (
            <LocalModelCard key={model.id} model={model} />
          ))}
        </ul>
      )}
    </Group>
  );
}
