import type { SearchHit } from "../../bridge";
import { pieces } from "./pieces";

/** Text with its matches marked. */
export function Marked({ text, highlights }: { text: string; highlights: SearchHit["highlights"] }) {
  return pieces(text, highlights).map((piece, at) => (piece.marked ? <mark key={at}>{piece.text}</mark> : piece.text));
}
