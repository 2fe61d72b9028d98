# What deployment.sh and processes.sh share.
# shellcheck shell=bash disable=SC2034
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

addresses() { # MinIO's credentials, a command that asks the store
  cat <<END

  http://localhost:$EGRID_GATEWAY_PORT/            dashboard and API, through the gateway
  http://localhost:$EGRID_WEB_PORT/            dashboard alone
  http://localhost:$EGRID_API_PORT/plants/top  API
  http://localhost:$EGRID_MINIO_CONSOLE_PORT/            MinIO ($1)

  $2
      lists what was loaded; egrid snapshots, publish, discard and the others likewise
  ${here#"$PWD"/}/deployment.sh put FILE|FOLDER
      puts more files into the bucket; what can be loaded of them is published some seconds later

make health, make logs; make stop ends it, make down also removes its data.
END
}
