import { useQuery } from "@tanstack/react-query";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";

const EVERY_MS = 500;

/** The models on this computer; looked at twice a second only while one is being downloaded. */
export const useDownloads = () =>
  useQuery<bridge.LocalModel[], bridge.Failure>({
    queryKey: keys.localModels,
    queryFn: bridge.localModels,
    refetchInterval: ({ state }) => (state.data?.some((model) => model.state.at === "downloading") ? EVERY_MS : false),
  });
