/** Structural sharing: the old value wherever the new one equals it, so that identity means "unchanged". */
export function share<T>(old: T, fresh: T): T {
  return merge(old, fresh) as T;
}

function merge(old: unknown, fresh: unknown): unknown {
  if (Object.is(old, fresh)) return old;
  if (Array.isArray(old) && Array.isArray(fresh)) return mergeArrays(old, fresh);
  if (old instanceof Map && fresh instanceof Map) return sameMap(old, fresh) ? old : fresh;
  if (isRecord(old) && isRecord(fresh)) return mergeRecords(old, fresh);
  return fresh;
}

function mergeArrays(old: readonly unknown[], fresh: readonly unknown[]): unknown {
  const merged = fresh.map((value, index) => (index < old.length ? merge(old[index], value) : value));
  const same = old.length === merged.length && merged.every((value, index) => value === old[index]);
  return same ? old : merged;
}

type Fields = Readonly<Record<string, unknown>>;

function mergeRecords(old: Fields, fresh: Fields): Fields {
  const keys = Object.keys(fresh);
  const merged = Object.fromEntries(keys.map((key) => [key, merge(old[key], fresh[key])]));
  const same = keys.length === Object.keys(old).length && keys.every((key) => merged[key] === old[key]);
  return same ? old : merged;
}

function sameMap(old: ReadonlyMap<unknown, unknown>, fresh: ReadonlyMap<unknown, unknown>): boolean {
  if (old.size !== fresh.size) return false;
  for (const [key, value] of fresh) if (!old.has(key) || merge(old.get(key), value) !== old.get(key)) return false;
  return true;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map);
}
