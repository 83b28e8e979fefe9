/** The devices of the account: which this one is, when each was last seen, and signing one out. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as bridge from "../../bridge";
import { Button, Confirm, FailureState, Skeleton } from "../../components";
import { keys } from "../../store/keys";
import { useDevices } from "../../store/queries";
import { text } from "../../text";
import { day } from "../../text/views";
import { Group } from "../settings/Row";
import { Ago } from "../sync/useAgo";

const words = text.account.devices;

export function Devices() {
  const { data, error, refetch } = useDevices();
  return (
    <Group about={words.about} title={words.title}>
      {data !== undefined ? <List list={data} /> : error === null ? <Skeleton lines={3} /> : <FailureState failure={error} onRetry={() => void refetch()} />}
    </Group>
  );
}

function List({ list }: { list: bridge.DeviceList }) {
  const client = useQueryClient();
  const [revoking, setRevoking] = useState<bridge.DeviceView | null>(null);
  if (list.devices.length === 0) return <p className="setting-about cards-none">{words.none}</p>;
  return (
    <>
      <ul className="cards">
        {list.devices.map((device) => (
          <Device device={device} key={device.id} onRevoke={() => setRevoking(device)} />
        ))}
      </ul>
      {list.unasked && <p className="setting-about account-note">{text.sync.devicesUnasked}</p>}
      {revoking && (
        <Confirm
          action={words.revoke}
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            client.setQueryData(keys.devices, await bridge.revokeDevice(revoking.id));
            void client.invalidateQueries({ queryKey: keys.sessions });
          }}
          title={words.revokeTitle(revoking.name)}
        >
          {words.revokeText}
        </Confirm>
      )}
    </>
  );
}

function Device({ device, onRevoke }: { device: bridge.DeviceView; onRevoke: () => void }) {
  const { revoked_at, last_seen_at, current } = device;
  return (
    <li className={revoked_at === null ? "card card-short" : "card card-short card-past"}>
      <div className="card-text">
        <div className="card-head">
          <span className="card-title">{device.name}</span>
          {current && <span className="card-badge">{words.current}</span>}
        </div>
        <p className="card-facts">
          <span>{words.platforms[device.platform] ?? device.platform}</span>
          <span>{words.version(device.app_version)}</span>
          {revoked_at !== null ? (
            <span>{words.revoked(day(revoked_at))}</span>
          ) : last_seen_at !== null && !current ? (
            <span>
              <Ago at={last_seen_at} words={text.sync.lastSeen} />
            </span>
          ) : (
            <span>{words.since(day(device.created_at))}</span>
          )}
        </p>
      </div>
      {revoked_at === null && !current && (
        <div className="card-actions">
          <Button aria-label={words.revokeNamed(device.name)} onClick={onRevoke} size="small">
            {words.revoke}
          </Button>
        </div>
      )}
    </li>
  );
}
