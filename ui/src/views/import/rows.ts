/** The table of a plan or a report: what was found, what was here, what is new. */
import type { ImportCounts, Plan, Report } from "../../bridge";

export type CountKind = "conversations" | "messages" | "documents" | "fragments" | "attachments";
export type CountRow = { kind: CountKind; found: number; here: number; fresh: number };

const KINDS: CountKind[] = ["conversations", "messages", "documents", "fragments", "attachments"];

/** Attachments hang on messages, and are counted as found alone. */
const isCounted = (kind: CountKind) => kind !== "attachments";

const rows = (found: ImportCounts, here: ImportCounts, fresh: (kind: CountKind) => number): CountRow[] =>
  KINDS.filter((kind) => found[kind] > 0).map((kind) => ({ kind, found: found[kind], here: isCounted(kind) ? here[kind] : 0, fresh: isCounted(kind) ? fresh(kind) : found[kind] }));

export const planRows = (plan: Plan): CountRow[] => rows(plan, plan.already_here, (kind) => Math.max(0, plan[kind] - plan.already_here[kind]));

/** What was written is told as it was counted, and not derived from what was found. */
export const reportRows = (report: Report): CountRow[] => rows(report, report.already_here, (kind) => report.imported[kind]);

export const hasNew = (plan: Plan): boolean => planRows(plan).some((row) => isCounted(row.kind) && row.fresh > 0);

export const skippedIn = (plan: { skipped: unknown[]; skipped_unnamed: number }): number => plan.skipped.length + plan.skipped_unnamed;
