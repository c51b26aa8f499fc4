# Sourced by the other scripts: makes the virtual environment of requirements.lock, once for each content of the lock.
# XINZHENG_VENV names another place than .venv; PYTHON another interpreter than python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV="${XINZHENG_VENV:-$PWD/.venv}"
# Whatever runs here must not inherit another project's modules or settings.
unset PYTHONPATH DJANGO_SETTINGS_MODULE

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "需要 Python 3.11 以上（Python 3.11 or later is needed）；可用 PYTHON=/path/to/python 指定。" >&2
  exit 1
}

make_environment() {
  local python lock project
  python="$(find_python)"
  lock="$(cat requirements.lock <("$python" --version) | sha256sum)"
  if ! is_noted lock "$lock"; then
    echo "Making the environment in $VENV …" >&2
    "$python" -m venv --clear "$VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
    echo "$lock" > "$VENV/lock.noted"
  fi
  # The project itself: its commands are written into the environment, its modules are read from here.
  project="$(cat pyproject.toml <(pwd) | sha256sum)"
  if ! is_noted project "$project"; then
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$project" > "$VENV/project.noted"
  fi
}

is_noted() {
  [ -f "$VENV/$1.noted" ] && [ "$(cat "$VENV/$1.noted")" = "$2" ]
}

# need_programs PACKAGE:COMMAND … – Debian packages and the command by which each shows that it is there.
need_programs() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair#*:}" >/dev/null 2>&1 || missing+=("${pair%%:*}")
  done
  install_packages "${missing[@]}"
}

# need_fonts PACKAGE LANGUAGE – a font package, missing when no font of the language is known.
need_fonts() {
  if ! command -v fc-list >/dev/null 2>&1 || [ -z "$(fc-list ":lang=$2" family)" ]; then
    install_packages fontconfig "$1"
  fi
}

install_packages() {
  [ "$#" -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing $* …" >&2
    if DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; then
      return
    fi
  fi
  echo "缺少系统软件包：$*。请先安装，例如：sudo apt-get install $*" >&2
  exit 1
}

make_environment
PATH="$VENV/bin:$PATH"
