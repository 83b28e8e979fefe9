/** The people of a source: who is nobody, who is told apart by what, whose password is asked for. */
import type { Plan, Share } from "../../bridge";

export const isNobody = (share: Share): boolean => share.name === null;

/** Those with most come first, folders that belong to nobody last. */
export function inOrder(people: Share[]): Share[] {
  const weight = (share: Share) => share.messages + share.documents;
  return [...people].sort((a, b) => Number(isNobody(a)) - Number(isNobody(b)) || weight(b) - weight(a) || (a.name ?? a.key).localeCompare(b.name ?? b.key));
}

/** Whether a name alone does not say who it is. */
export const needsKey = (share: Share): boolean => isNobody(share) || share.twins.length > 0;

/** Those of the chosen whose old password is asked for: where only one person had one, there is nobody to be told apart from. */
export function needProof(plan: Plan, users: string[]): Share[] {
  if (plan.people.filter((share) => share.protected).length < 2) return [];
  return plan.people.filter((share) => users.includes(share.key) && share.protected && share.proven !== true);
}
