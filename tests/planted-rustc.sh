#!/bin/sh
# What cargo calls in the place of rustc for this crate; see planted.sh.
rustc=$1
shift
exec "$rustc" --cfg dak_planted "$@"
