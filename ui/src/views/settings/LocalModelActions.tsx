import { useQueryClient } from "@tanstack/react-query";
import * as bridge from "../../bridge";
import { Button, IconButton } from "../../components";
import { keys } from "../../store/keys";
import { text } from "../../text";

const words = text.settings.models;

type Props = {
  model: bridge.LocalModel;
  isDefault: boolean;
  busy: boolean;
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  onRemove: () => void;
};

/** The buttons that make sense where the model stands. */
export function LocalModelActions(props: Props) {
  const { model, isDefault } = props;
  switch (model.state.at) {
    case "absent":
      return <Download {...props} icon="download" label={words.download} name={words.downloadNamed(model.name)} />;
    case "paused":
      return <Download {...props} icon="play" label={words.resume} name={words.resumeNamed(model.name)} removable />;
    case "broken":
      return <Download {...props} icon="retry" label={words.again} name={words.againNamed(model.name)} removable />;
    case "downloading":
      return <Pause {...props} />;
    case "ready":
      return (
        <div className="card-actions">
          {!isDefault && <UseAsDefault {...props} />}
          <Remove {...props} />
        </div>
      );
  }
}

type DownloadProps = Props & { icon: "download" | "play" | "retry"; label: string; name: string; removable?: boolean };

function Download({ icon, label, name, removable = false, ...props }: DownloadProps) {
  const client = useQueryClient();
  const download = () => void props.run(() => bridge.downloadModel(props.model.id).then(() => client.invalidateQueries({ queryKey: keys.localModels })));
  return (
    <div className="card-actions">
      {/* A file of the person's own comes from nowhere. */}
      {props.model.url !== null && (
        <Button aria-label={name} disabled={props.busy} icon={icon} onClick={download} size="small">
          {label}
        </Button>
      )}
      {removable && <Remove {...props} />}
    </div>
  );
}

function Pause({ model, busy, run }: Props) {
  return (
    <div className="card-actions">
      <Button aria-label={words.pauseNamed(model.name)} disabled={busy} icon="pause" onClick={() => void run(() => bridge.pauseDownload(model.id))} size="small">
        {words.pause}
      </Button>
    </div>
  );
}

function UseAsDefault({ model, busy, run }: Props) {
  return (
    <Button aria-label={words.useNamed(model.name)} disabled={busy} onClick={() => void run(() => bridge.setDefaultModel(`local/${model.id}`))} size="small">
      {words.use}
    </Button>
  );
}

function Remove({ model, busy, onRemove }: Props) {
  return <IconButton disabled={busy} icon="trash" label={words.removeNamed(model.name)} onClick={onRemove} size="small" />;
}
