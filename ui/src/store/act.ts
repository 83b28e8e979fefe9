/** Runs what a click asks for; a failure becomes a toast, never a silent promise. */
import { asFailure } from "../bridge";
import { toast } from "./toast";

export function act(work: () => Promise<unknown>): void {
  work().catch((error: unknown) => toast.failure(asFailure(error)));
}
