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

export const useSyncStatus = () => useQuery<bridge.SyncStatus, bridge.Failure>({ queryKey: keys.syncStatus, queryFn: bridge.syncStatus });

export const useAccount = () => useQuery<bridge.AccountStatus, bridge.Failure>({ queryKey: keys.account, queryFn: bridge.account });

export const useOrganisation = () =>
  useQuery<bridge.Organisation, bridge.Failure>({ queryKey: keys.organisation, queryFn: bridge.organisation, staleTime: 0 });

export const useParked = () => useQuery<bridge.ParkedView[], bridge.Failure>({ queryKey: keys.parked, queryFn: bridge.parked });

/** Read again each so many milliseconds, where it is looked at. */
export const useHealth = (againMs: number | false = false) =>
  useQuery<bridge.Health, bridge.Failure>({ queryKey: keys.health, queryFn: bridge.health, staleTime: 0, refetchInterval: againMs });

/** Of one conversation, or all. */
export const useConflicts = (of: bridge.ConversationId | null) =>
  useQuery<bridge.ConflictView[], bridge.Failure>({ queryKey: keys.conflictsOf(of), queryFn: () => bridge.conflicts(of) });

export const useImportState = () => useQuery<bridge.ImportState, bridge.Failure>({ queryKey: keys.importState, queryFn: bridge.importState });

export const useImports = () => useQuery<bridge.ImportView[], bridge.Failure>({ queryKey: keys.imports, queryFn: bridge.imports });

export const useImportReport = (id: string) => useQuery<bridge.Report, bridge.Failure>({ queryKey: keys.importReport(id), queryFn: () => bridge.importReport(id) });

export const useImported = (id: string) =>
  useQuery<bridge.ImportedConversations, bridge.Failure>({ queryKey: keys.imported(id), queryFn: () => bridge.importedConversations(id) });

export const useImportNews = (enabled = true) => useQuery<bridge.ImportNews[], bridge.Failure>({ queryKey: keys.importNews, queryFn: bridge.importNews, enabled });

/** Looks through the folders of this computer: whenever it is shown, and when a person wants it. */
export const useFound = () => useQuery<bridge.FoundSource[], bridge.Failure>({ queryKey: keys.found, queryFn: bridge.importFind, meta: { asksServer: true } });

// These two ask the server: whenever they are shown, and when a person wants it.
export const useDevices = () => useQuery<bridge.DeviceList, bridge.Failure>({ queryKey: keys.devices, queryFn: bridge.devices, staleTime: 0, meta: { asksServer: true } });

export const useSessions = () => useQuery<bridge.SessionView[], bridge.Failure>({ queryKey: keys.sessions, queryFn: bridge.sessions, staleTime: 0, meta: { asksServer: true } });

/** One setting's value, checked by the caller's guard; `fallback` until it is read. */
export function useSetting<T>(key: string, isValid: (value: unknown) => value is T, fallback: T): T {
  const value = useSettings().data?.find((setting) => setting.key === key)?.value;
  return isValid(value) ? value : fallback;
}

export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
export const isString = (value: unknown): value is string => typeof value === "string";
