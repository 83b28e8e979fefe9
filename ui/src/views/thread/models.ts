/** The models, read once for a whole thread: a query for each of its rows would cost more than the rows. */
import { createContext, useContext } from "react";
import type { ModelEntry } from "../../bridge";

export const ThreadModels = createContext<ModelEntry[]>([]);

export const useThreadModels = (): ModelEntry[] => useContext(ThreadModels);
