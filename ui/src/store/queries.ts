/** What the views read, by name. */
import { useQuery } from "@tanstack/react-query";
import * as bridge from "../bridge";
import { keys } from "./keys";

export const useConversations = (shelf: bridge.Shelf) =>
  useQuery<bridge.Conversation[], bridge.Failure>({ queryKey: keys.shelf(shelf), queryFn: () => bridge.conversations(shelf) });

export const useModels = () => useQuery<bridge.ModelEntry[], bridge.Failure>({ queryKey: keys.models, queryFn: bridge.models });

export const useLocalModels = () =>
  useQuery<bridge.LocalModel[], bridge.Failure>({ queryKey: keys.localModels, queryFn: bridge.localModels });

export const useProviders = () => useQuery<bridge.ProviderView[], bridge.Failure>({ queryKey: keys.providers, queryFn: bridge.providers });

export const useSettings = () => useQuery<bridge.Setting[], bridge.Failure>({ queryKey: keys.settings, queryFn: bridge.settings });

export const useSyncState = () => useQuery<bridge.SyncState, bridge.Failure>({ queryKey: keys.sync, queryFn: bridge.syncState });

/** One setting's value, checked by the caller's guard; `fallback` until it is read. */
export function useSetting<T>(key: string, isValid: (value: unknown) => value is T, fallback: T): T {
  const value = useSettings().data?.find((setting) => setting.key === key)?.value;
  return isValid(value) ? value : fallback;
}

export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
export const isString = (value: unknown): value is string => typeof value === "string";
