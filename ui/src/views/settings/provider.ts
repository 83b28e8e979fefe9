/** What can be known of a provider's form without asking anybody. */
import type { ModelInfo, ProviderConfig } from "../../bridge";
import { text } from "../../text";

const words = text.settings.provider;

export type ProviderErrors = { name: string | null; id: string | null; base_url: string | null };

/** What is wrong with a form; the core checks it again. */
export function checkProvider(config: ProviderConfig, taken: readonly string[]): ProviderErrors {
  return { name: config.name.trim() === "" ? words.check.name : null, id: checkId(config.id, taken), base_url: checkAddress(config.base_url) };
}

export const isFine = (errors: ProviderErrors) => Object.values(errors).every((error) => error === null);

function checkId(id: string, taken: readonly string[]): string | null {
  if (id === "") return words.check.idEmpty;
  if (id === "local") return words.check.idLocal;
  if (!/^[a-z0-9-]{1,40}$/.test(id)) return words.check.idShape;
  return taken.includes(id) ? words.check.idTaken : null;
}

function checkAddress(address: string): string | null {
  if (address.trim() === "") return words.check.urlEmpty;
  const url = parsed(address);
  if (url === null || !["https:", "http:"].includes(url.protocol)) return words.check.urlShape;
  return url.username !== "" || url.password !== "" ? words.check.urlSecret : null;
}

/** A short name from a name: `My Server 2` becomes `my-server-2`. */
export function idFrom(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 36);
  const base = plain === "" || plain === "local" ? "provider" : plain;
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(id)) return id;
  }
}

/** Whether an address is on this computer or its network, where servers ask for no key. */
export function isNear(address: string): boolean {
  const host = parsed(address)?.hostname ?? "";
  return /^(localhost|\[::1\]|(127|10)(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2}|.+\.(local|lan|internal))$/.test(host);
}

/** Whether what is typed would travel unencrypted over a network that is not the person's own. */
export const isPlain = (address: string) => parsed(address)?.protocol === "http:" && !isNear(address);

/** Whether an address is at another place than before: a key is not carried along. */
export const hasMoved = (before: string, after: string) => parsed(before)?.origin !== parsed(after)?.origin;

function parsed(address: string): URL | null {
  return URL.canParse(address.trim()) ? new URL(address.trim()) : null;
}

/** What is offered now and what the server has, each once; the server knows its facts best. */
export function union(offered: readonly ModelInfo[], fetched: readonly ModelInfo[]): ModelInfo[] {
  const all = new Map(offered.map((model) => [model.id, model]));
  for (const model of fetched) all.set(model.id, { ...model, name: model.name || (all.get(model.id)?.name ?? "") });
  return [...all.values()];
}
