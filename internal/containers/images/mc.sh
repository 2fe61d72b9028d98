#!/bin/sh
# mc ready local, the one command of MinIO's client that compose.yaml uses.
[ "$*" = "ready local" ] || { echo "this stand-in knows: mc ready local" >&2 && exit 2; }
exec curl -fsS -o /dev/null -m 5 http://localhost:9000/minio/health/ready
