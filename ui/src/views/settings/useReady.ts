import { useQuery } from "@tanstack/react-query";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";

/** The open mirror's facts: its folder, its version, how its key is kept. */
export function useReady(): Extract<bridge.AppState, { at: "ready" }> | null {
  const { data } = useQuery<bridge.AppState, bridge.Failure>({ queryKey: keys.app, queryFn: bridge.appState });
  return data?.at === "ready" ? data : null;
}
