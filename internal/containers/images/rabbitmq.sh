#!/bin/sh
# Starts RabbitMQ as the official image does. The server itself reads
# RABBITMQ_DEFAULT_USER, RABBITMQ_DEFAULT_PASS and the like.
set -eu

if [ "$(id -u)" = 0 ]; then
  chown rabbitmq:rabbitmq /var/lib/rabbitmq
  exec gosu rabbitmq "$0" "$@"
fi
exec "$@"
