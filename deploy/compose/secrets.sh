#!/bin/sh
# Makes the secrets that are not there yet, and leaves those that are. Keep a copy of secrets/ where you keep secrets: with another
# pseudonym_key the same customers are others.
set -eu
cd "$(dirname "$0")"
# The containers' users are not you, and read the files by themselves; the folder keeps everybody else out.
umask 022
mkdir -p secrets
chmod 0700 secrets

make() {
    if [ ! -s "secrets/$1" ]; then
        printf '%s\n' "$2" > "secrets/$1"
        echo "secrets/$1 is made"
    fi
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

make postgres_password "$(random)"
make redis_password "$(random)"
make pseudonym_key "$(random)"
make acknowledge_key "$(random)"
make grafana_password "$(random)"
make gateway_token "$(random)"
# These follow from others; delete them together.
make database "postgresql://deskpulse:$(cat secrets/postgres_password)@postgres/deskpulse"
make redis "redis://:$(cat secrets/redis_password)@redis:6379/0"
make redis_conf "requirepass $(cat secrets/redis_password)
save \"\"
appendonly no
maxmemory 96mb
maxmemory-policy noeviction"
