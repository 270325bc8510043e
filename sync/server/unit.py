"""A unit by which systemd runs the server, with no more rights than it needs (systemd.exec(5)).

The server writes to its folder and nowhere else, needs no capability, no device and no other user's files.
"""

from pathlib import Path

_UNIT = """\
[Unit]
Description=Work Diary server
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Type=exec
ExecStart={command}
# Secrets that belong on no command line, such as DIARY_DATABASE=…; without the file it starts as well.
EnvironmentFile=-/etc/workdiary/server.env
User=workdiary
Group=workdiary
UMask=0077
Restart=on-failure
RestartSec=2
# It answers what is under way and ends by itself in five seconds.
TimeoutStopSec=30
LimitNOFILE=65536

ReadWritePaths={folder}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit_of(command: Path, folder: Path, settings: Path | None) -> str:
    """Return the unit's text; all paths are absolute. `settings` of None leaves the folder's own file."""
    words = [str(command), "server", "run", "--folder", str(folder)]
    words += ["--settings", str(settings)] if settings is not None else []
    return _UNIT.format(command=" ".join(_quoted(word) for word in words), folder=_quoted(str(folder)))


def _quoted(word: str) -> str:
    """Return a word as systemd reads it back (systemd.syntax(7)), where % and $ would begin something."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word
