#!/bin/sh
# Creates .venv and installs this checkout with the extras named in $1, by plain pip with constraints.txt.
# Does nothing when the stamp in .venv says that these extras of this pyproject.toml and constraints.txt are in.
set -eu
cd "$(dirname "$0")/.."
wanted=$1
venv=${VENV:-.venv}
stamp=$venv/.installed
PIP_CONSTRAINT=$(pwd)/constraints.txt
export PIP_CONSTRAINT PIP_DISABLE_PIP_VERSION_CHECK=1

fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; }

if [ ! -x "$venv/bin/python" ]; then
    python=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        echo "setup: no Python 3.11 to 3.14 with the venv module was found; install one (Debian: python3 python3-venv)" >&2
        echo "setup: or name it: make setup PYTHON=/path/to/python3" >&2
        exit 5
    fi
    echo "setup: creating $venv with $("$python" --version)" >&2
    "$python" -m venv "$venv"
fi

hash=$("$venv/bin/python" -c 'import hashlib, sys
digest = hashlib.sha256()
for name in sys.argv[1:]:
    digest.update(open(name, "rb").read())
print(digest.hexdigest())' pyproject.toml constraints.txt)

have=
if [ -f "$stamp" ] && [ "$(sed -n 1p "$stamp")" = "$hash" ]; then have=$(sed -n 2p "$stamp"); fi
missing=
for extra in $(echo "$wanted" | tr , ' '); do
    case ",$have," in *",$extra,"*) ;; *) missing=yes ;; esac
done
if [ -f "$stamp" ] && [ -n "$have" ] && [ -z "$missing" ]; then exit 0; fi

extras=$(echo "$have,$wanted" | tr , '\n' | sed '/^$/d' | sort -u | paste -sd, -)
echo "setup: installing reactor-core[$extras]; the first time takes some minutes" >&2
rm -f "$stamp"
"$venv/bin/python" -m pip install --quiet --editable ".[$extras]"
# The stamp is written last, so an interrupted installation is repeated.
printf '%s\n%s\n' "$hash" "$extras" >"$stamp"
