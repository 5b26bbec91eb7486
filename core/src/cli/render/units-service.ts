import type { ServiceSettings } from "../../base/config/settings.js";
import { commandLine, placesLines } from "./units-systemd.js";

export interface ServiceUnits {
  /** holdstill itself, word by word. */
  program: readonly string[];
  config: string | null;
  service: ServiceSettings;
  /** Of this process. */
  env: NodeJS.ProcessEnv;
}

/** The socket and the service, by their file names. The first connection starts the service, and it exits when it is idle. */
export function serviceUnits({ program, config, service, env }: ServiceUnits): Record<string, string> {
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
${placesLines(env)}ExecStart=${commandLine([...program, "serve", "--idle", "10m", "--quiet", ...own])}
# Before it is ready, it undoes what a service left that died.
TimeoutStartSec=15min
# Only the service gets the signal: it undoes the operations that run. The keeper does not depend on it.
KillMode=mixed
TimeoutStopSec=15min
WatchdogSec=60s
Restart=on-failure
LimitCORE=0
# A server that verifies or repairs a snapshot runs in the control group of the service, with its buffers.
MemoryMax=75%
OOMPolicy=continue
TasksMax=4096
NoNewPrivileges=yes
LockPersonality=yes
ProtectHostname=yes
RestrictRealtime=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @debug @keyring @obsolete @raw-io @reboot @swap
# A refused call is an error of what made it. Without this, the kernel would kill the service.
SystemCallErrorNumber=EPERM
# Of servers on snapshots, and of plugins with isolation: process.
RestrictNamespaces=mnt pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=~CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE CAP_IPC_OWNER CAP_LEASE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SYS_BOOT CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_SYSLOG CAP_WAKE_ALARM

# What cannot be set, and why:
# ProtectSystem, ProtectHome, PrivateTmp, PrivateDevices, ProtectProc, ProcSubset, ReadWritePaths, ProtectControlGroups,
# ProtectKernelTunables, ProtectKernelModules, ProtectKernelLogs: each gives the service a separate mount namespace. Other
# processes must see the snapshots that it exposes, and it takes snapshots of all volumes.
# DevicePolicy, DeviceAllow, ProtectClock: each limits the devices. Snapshots are devices that do not exist yet.
# PrivateUsers, User, DynamicUser: only root may freeze file systems, mount, and suspend devices.
# PrivateNetwork, IPAddressDeny: writers and providers connect to servers and storage over the network.
# MemoryDenyWriteExecute: the JIT compiler of Node.js writes code and runs it.
# RestrictSUIDSGID: copies of folders and files with these bits would fail.
# UMask: the folders of exposures have modes with which other users pass.
# CAP_SYS_ADMIN, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_SETUID, CAP_SETGID, CAP_SYS_PTRACE, CAP_SYS_MODULE, and CAP_MKNOD
# are needed to freeze, mount, copy with owners, act as the user of a server, find servers, and create devices.
`,
  };
}
