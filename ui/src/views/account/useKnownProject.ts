import { useAccount, useOrganisation } from "../../store/queries";

export type KnownProject = { url: string; isOrganisations: boolean };

/** The project that needs no address: the one that was entered before, or the organisation's; and what is wrong with the latter. */
export function useKnownProject(): { known: KnownProject | null; problem: string | null; isPending: boolean } {
  const account = useAccount();
  const organisation = useOrganisation();
  const found = organisation.data?.project ?? null;
  const before = account.data?.url ?? null;
  const url = before ?? found?.url ?? null;
  return {
    known: url === null ? null : { url, isOrganisations: url === found?.url },
    problem: organisation.data?.problem ?? null,
    isPending: account.isPending || organisation.isPending,
  };
}
