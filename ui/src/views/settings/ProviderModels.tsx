import { useState } from "react";
import type { ModelInfo } from "../../bridge";
import { Banner, Button } from "../../components";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { best } from "../palette/fuzzy";
import { useDoing } from "./useDoing";
import type { Offered } from "./useOffered";

const words = text.settings.provider;
const FILTER_FROM = 10;

type Props = { offered: Offered; canTest: boolean; onTest: () => Promise<ModelInfo[]> };

/** Which models are offered, and the test that asks the provider for its list. */
export function ProviderModels({ offered, canTest, onTest }: Props) {
  const testing = useDoing();
  const [found, setFound] = useState<number | null>(null);
  const test = () =>
    testing.run(async () => {
      setFound(null);
      const models = await onTest();
      offered.fetched(models);
      setFound(models.length);
    });
  return (
    <fieldset className="provider-models">
      <legend className="field-label">{words.models}</legend>
      <p className="setting-about">{offered.known.length === 0 ? words.modelsNone : words.modelsAbout}</p>
      <div className="provider-test">
        <Button aria-busy={testing.busy} disabled={testing.busy || !canTest} icon="retry" onClick={() => void test()} size="small">
          {testing.busy ? words.testing : words.test}
        </Button>
        <span className="setting-about" role="status">
          {found !== null && words.tested(found)}
        </span>
      </div>
      {testing.failure && <Banner tone="failure">{inWords(testing.failure)}</Banner>}
      <Ticks offered={offered} />
      <AddModel onAdd={offered.add} />
    </fieldset>
  );
}

function Ticks({ offered }: { offered: Offered }) {
  const [filter, setFilter] = useState("");
  const shown = best(filter, offered.known, (model) => `${model.name} ${model.id}`, 400);
  if (offered.known.length === 0) return null;
  return (
    <>
      {offered.known.length >= FILTER_FROM && (
        <input aria-label={words.filter} className="input" onChange={(event) => setFilter(event.target.value)} placeholder={words.filter} type="search" value={filter} />
      )}
      <ul className="ticks">
        {shown.map((model) => (
          <li key={model.id}>
            <label className="tick">
              <input checked={offered.ticked.has(model.id)} onChange={() => offered.toggle(model.id)} type="checkbox" />
              <span className="tick-name">{model.name || model.id}</span>
              <span className="tick-facts">{facts(model)}</span>
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="setting-about">{words.filterNone}</p>}
    </>
  );
}

function facts(model: ModelInfo): string {
  const context = model.context_tokens === null ? null : words.context(model.context_tokens.toLocaleString(undefined, { notation: "compact" }));
  const { price_in_micros: into, price_out_micros: out } = model;
  return [context, into === null || out === null ? null : words.price(dollars(into), dollars(out))].filter((fact) => fact !== null).join(" · ");
}

const dollars = (micros: number) => (micros / 1e6).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function AddModel({ onAdd }: { onAdd: (id: string) => void }) {
  const [id, setId] = useState("");
  const add = () => {
    if (id.trim() !== "") onAdd(id.trim());
    setId("");
  };
  return (
    <div className="add-model">
      <input
        aria-label={words.addModel}
        className="input"
        onChange={(event) => setId(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && add()}
        placeholder={words.addModel}
        spellCheck={false}
        type="text"
        value={id}
      />
      <Button disabled={id.trim() === ""} onClick={add}>
        {words.addModelButton}
      </Button>
    </div>
  );
}
