/** An import that is under way: what it does, how far it is, how long it still takes. */
import * as bridge from "../../bridge";
import { Button } from "../../components";
import { act } from "../../store/act";
import { text } from "../../text";
import { size } from "../../text/views";
import { Stage } from "./Stage";
import { useNameAt } from "./useNameAt";

const words = text.imports.running;

type Props = { request: bridge.ImportRequest; moment: bridge.ImportMoment; pausing: boolean };

export function Running({ request, moment, pausing }: Props) {
  const name = useNameAt(request.path);
  return (
    <Stage about={<span className="card-path import-path">{request.path}</span>} title={words.title(name)}>
      <div className="import-progress">
        <progress aria-label={words.label} max={1} value={moment.share} />
        <p className="import-line" role="status">
          {pausing ? words.pausing : words.stages[moment.stage]}
        </p>
        <p className="card-facts">
          <span>{words.percent(moment.share)}</span>
          {moment.of !== null && <span>{ofWords(moment, moment.of)}</span>}
          {moment.left_ms !== null && !pausing && <span>{words.left(moment.left_ms)}</span>}
        </p>
      </div>
      <p className="setting-about">{words.background}</p>
      <div className="import-actions">
        <Button disabled={pausing} icon="pause" onClick={() => act(bridge.importPause)}>
          {words.pause}
        </Button>
      </div>
    </Stage>
  );
}

const ofWords = ({ stage, done }: bridge.ImportMoment, of: number): string => (stage === "backing_up" ? `${size(done)} / ${size(of)}` : words.of(Math.min(done, of), of));
