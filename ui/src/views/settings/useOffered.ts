import { useState } from "react";
import type { ModelInfo } from "../../bridge";
import { union } from "./provider";

/** A short list is offered whole at first; of hundreds a person picks. */
const OFFER_ALL = 12;

/** Which of a provider's models are offered: those of the configuration, and what a test brought. */
export function useOffered(configured: ModelInfo[]) {
  const [known, setKnown] = useState(configured);
  const [ticked, setTicked] = useState(() => new Set(configured.map((model) => model.id)));
  const toggle = (id: string) => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    setTicked(next);
  };
  const fetched = (models: ModelInfo[]) => {
    setKnown(union(known, models));
    if (ticked.size === 0 && models.length <= OFFER_ALL) setTicked(new Set(models.map((model) => model.id)));
  };
  const add = (id: string) => {
    setKnown(union(known, known.some((model) => model.id === id) ? [] : [plain(id)]));
    setTicked(new Set([...ticked, id]));
  };
  return { known, ticked, toggle, fetched, add, chosen: known.filter((model) => ticked.has(model.id)) };
}

const plain = (id: string): ModelInfo => ({ id, name: "", context_tokens: null, price_in_micros: null, price_out_micros: null });

export type Offered = ReturnType<typeof useOffered>;
