#!/bin/sh
# A Chromium for the tests that go through pages as a person does; nothing is done where there is one.
set -eu

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
    # The tests that need it fail and say the same.
    echo "Please install Chromium: apt-get install chromium" >&2
fi
