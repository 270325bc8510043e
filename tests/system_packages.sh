#!/usr/bin/env bash
# Installs what Debian has to give: `run` wants a virtual screen where there is no real one, `test` browsers
# and a clock that can be bent as well. Elsewhere, or not as root, it says what to install and goes on if
# nothing is missing.
set -euo pipefail

want=${1:?run or test}
programs_run=(Xvfb:xvfb openbox:openbox xterm:xterm xdotool:xdotool)
programs_test=("${programs_run[@]}" chromium:chromium pdftotext:poppler-utils soffice:libreoffice-calc-nogui faketime:faketime xrandr:x11-xserver-utils ip:iproute2
    dunst:dunst dbus-daemon:dbus-daemon dbus-send:dbus-bin sway:sway foot:foot wtype:wtype grim:grim pipewire:pipewire
    trayer:trayer nginx:nginx-light firefox-esr:firefox-esr WebKitWebDriver:webkit2gtk-driver)

if [ "$want" = run ]; then
    # A real screen needs none of it.
    [ -z "${DISPLAY:-}" ] || exit 0
    pairs=("${programs_run[@]}")
else
    pairs=("${programs_test[@]}")
fi

missing=()
for pair in "${pairs[@]}"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair##*:}")
done
# A library, not a program: the clock that tests bend.
if [ "$want" = test ] && ! compgen -G "/usr/lib/*/faketime/libfaketimeMT.so.1" >/dev/null; then
    missing+=(libfaketime)
fi
# What Playwright's driver is linked to; the wheel does not carry it.
if [ "$want" = test ] && ! compgen -G "/usr/lib/*/libatomic.so.1" >/dev/null; then
    missing+=(libatomic1)
fi
# Services in the place of the login manager's and the desktop's: they run on the system's own Python.
if [ "$want" = test ] && ! /usr/bin/python3 -c "import dbusmock" 2>/dev/null; then
    missing+=(python3-dbusmock)
fi
# The portal for pictures and its half for wlroots: programs, on nobody's PATH.
for portal in xdg-desktop-portal xdg-desktop-portal-wlr; do
    [ "$want" != test ] || [ -x "/usr/libexec/$portal" ] || missing+=("$portal")
done
# What Qt's window on an X server is linked to; the wheel does not carry it.
if [ "$want" = test ]; then
    for library in libEGL.so.1:libegl1 libGL.so.1:libgl1 libfontconfig.so.1:libfontconfig1 libxcb-cursor.so.0:libxcb-cursor0 \
        libxcb-icccm.so.4:libxcb-icccm4 libxcb-image.so.0:libxcb-image0 libxcb-keysyms.so.1:libxcb-keysyms1 \
        libxcb-randr.so.0:libxcb-randr0 libxcb-render-util.so.0:libxcb-render-util0 libxcb-shape.so.0:libxcb-shape0 \
        libxcb-xkb.so.1:libxcb-xkb1 libxkbcommon-x11.so.0:libxkbcommon-x11-0; do
        compgen -G "/usr/lib/*/${library%%:*}" >/dev/null || missing+=("${library##*:}")
    done
fi
# A database, not on anybody's PATH: the server's tests start their own.
if [ "$want" = test ] && ! compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null &&
    ! command -v initdb >/dev/null 2>&1; then
    missing+=(postgresql)
fi
# Text in the virtual windows needs one real font.
compgen -G "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf" >/dev/null || missing+=(fonts-dejavu-core)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        cat "$log" >&2
        echo "Installing failed; the lines above say why." >&2
        exit 1
    fi
    rm -f "$log"
else
    echo "Missing: ${missing[*]}" >&2
    echo "On Debian or Ubuntu: sudo apt-get install ${missing[*]}; elsewhere install the programs of these names." >&2
    exit 1
fi
