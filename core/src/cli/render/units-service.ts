import type { ServiceSettings } from "../../base/config/settings.js";
import { commandLine } from "./units-systemd.js";

export interface ServiceUnits {
  /** holdstill itself, word by word. */
  program: readonly string[];
  config: string | null;
  service: ServiceSettings;
}

/** The socket and the service, by their file names. The first connection starts the service, and it exits when it is idle. */
export function serviceUnits({ program, config, service }: ServiceUnits): Record<string, string> {
  const own = config === null ? [] : ["--config", config];
  return {
    "holdstill.socket": `[Unit]
Description=holdstill: snapshots for backup tools
Documentation=man:holdstill(8)

[Socket]
ListenStream=${service.socket.replaceAll("%", "%%")}
SocketMode=0660
SocketGroup=${service.group ?? "holdstill"}
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`,
    "holdstill.service": `[Unit]
Description=holdstill: snapshots for backup tools
Documentation=man:holdstill(8)
Requires=holdstill.socket
After=holdstill.socket local-fs.target

[Service]
Type=notify
ExecStart=${commandLine([...program, "serve", "--idle", "10m", "--quiet", ...own])}
# Before it is ready, it undoes what a service left that died.
TimeoutStartSec=15min
# Only the service gets the signal: it undoes the operations that run. The keeper does not depend on it.
KillMode=mixed
TimeoutStopSec=15min
WatchdogSec=60s
Restart=on-failure
# No setting that gives the service a separate mount namespace, such as ProtectSystem or PrivateTmp: other processes must see
# the snapshots that it exposes, and it takes snapshots of all volumes.
NoNewPrivileges=yes
LockPersonality=yes
ProtectHostname=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @obsolete @reboot @swap
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=~CAP_AUDIT_CONTROL CAP_BPF CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SYS_BOOT CAP_SYS_PACCT CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_SYSLOG CAP_WAKE_ALARM
`,
  };
}
