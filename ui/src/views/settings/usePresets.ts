import { useQuery } from "@tanstack/react-query";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";

/** The providers that can be added with little more than a key. */
export const usePresets = () => useQuery<bridge.ProviderConfig[], bridge.Failure>({ queryKey: keys.presets, queryFn: bridge.providerPresets });
