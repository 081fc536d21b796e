#!/bin/sh
# Makes the secrets of docker-compose.yml, random and never overwritten: sh deploy/make-secrets.sh FOLDER
#
# Compose mounts each file as it is, with its owner and mode, and the programs in the containers run under
# accounts of their own. So the files can be read by all, and it is the folder that lets nobody else in.
set -eu
umask 077

folder=${1:?usage: sh deploy/make-secrets.sh FOLDER}
mkdir -p "$folder"
chmod 0700 "$folder"

random_hex() { # bytes
    head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

keep() { # name, content from standard input
    fresh=$(mktemp "$folder/.$1.XXXXXX")
    cat >"$fresh"
    # The exit code of what was piped in is lost, but not what it failed to write.
    [ -s "$fresh" ] || { rm -f "$fresh"; echo "no content for $folder/$1" >&2; exit 1; }
    chmod 0444 "$fresh"
    # A link fails where the name is taken: a secret that is in use is never replaced.
    if ln "$fresh" "$folder/$1" 2>/dev/null; then
        echo "made $folder/$1"
    elif [ -s "$folder/$1" ]; then
        echo "kept $folder/$1"
    else
        echo "cannot make $folder/$1" >&2
        rm -f "$fresh"
        exit 1
    fi
    rm -f "$fresh"
}

random_hex 32 | keep database_password
random_hex 32 | keep secret_key
random_hex 16 | keep admin_password
random_hex 10 | keep s3_access_key
random_hex 20 | keep s3_secret_key
keep s3.json <<IDENTITIES
{"identities": [{"name": "opendai", "actions": ["Admin", "Read", "Write", "List", "Tagging"], "credentials":
  [{"accessKey": "$(cat "$folder/s3_access_key")", "secretKey": "$(cat "$folder/s3_secret_key")"}]}]}
IDENTITIES
