#!/usr/bin/env bash
# A private RabbitMQ node for tests: rabbitmq.sh start|stop|restart|kill|crash|join NODE|running|block|unblock|block-disk|unblock-disk|url
#
# It listens on the loopback interface only, keeps everything it writes below
# ${EGRID_SERVICES_DIR:-/tmp/egrid-services}/rabbitmq, and has a port mapper and
# a cookie of its own. start installs Debian's package when it is missing and
# prints the URL; stop ends what start began, and nothing else; kill ends the
# node as a crash would, and starts it again, and crash does not start it; block
# has it take no messages, as when it is short of memory, and block-disk as when
# the disk is nearly full. join makes it a node of a cluster: all of its nodes have
# one EGRID_RABBITMQ_CLUSTER, which is the port of their port mapper.
set -euo pipefail

home=${EGRID_SERVICES_DIR:-/tmp/egrid-services}/rabbitmq
port=${EGRID_RABBITMQ_PORT:-25682}
bin=/usr/lib/rabbitmq/bin
url=amqp://guest:guest@127.0.0.1:$port/

export HOME=$home
export RABBITMQ_NODENAME=egrid$port@localhost
export RABBITMQ_HOME=/usr/lib/rabbitmq
export RABBITMQ_MNESIA_BASE=$home/data
export RABBITMQ_LOG_BASE=$home/log
export RABBITMQ_PID_FILE=$home/pid
export RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf
export RABBITMQ_CONF_ENV_FILE=$home/rabbitmq-env.conf
export RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins
export RABBITMQ_DIST_PORT=$((port + 1))
export ERL_EPMD_PORT=${EGRID_RABBITMQ_CLUSTER:-$((port + 2))}
export ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'

# running also finds out whether a process with that id is still the one that
# start began. One that ended, and that nobody has asked after, is not.
running() { # the name of a pid file
  local pid
  pid=$(cat "$home/$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qaF "RABBITMQ_MNESIA_BASE=$home/data" "/proc/$pid/environ" 2>/dev/null
}

# epmd finds the port mapper, which not every package keeps on the PATH.
epmd() {
  type -P epmd || find /usr/lib/erlang -path '*/bin/epmd' -type f | head -1
}

start() {
  # RUNLEVEL=1 keeps the package from starting a service of its own.
  [ -x $bin/rabbitmq-server ] || RUNLEVEL=1 "$(dirname "$0")/install.sh" rabbitmq-server >&2
  [ -x $bin/rabbitmq-server ] || exit 1
  mkdir -p "$home/data" "$home/log"
  chmod 700 "$home"
  cat >"$home/rabbitmq.conf" <<END
listeners.tcp.1 = 127.0.0.1:$port
loopback_users.guest = true
log.console = false
log.file.level = warning
disk_free_limit.absolute = 200MB
END
  : >"$home/rabbitmq-env.conf"
  echo '[].' >"$home/enabled_plugins"
  if [ -n "${EGRID_RABBITMQ_CLUSTER:-}" ] && [ ! -s "$home/.erlang.cookie" ]; then # its nodes know each other by this
    printf 'cluster-%s' "$ERL_EPMD_PORT" >"$home/.erlang.cookie"
    chmod 400 "$home/.erlang.cookie"
  fi
  if ! running epmd.pid && ! (: <"/dev/tcp/127.0.0.1/$ERL_EPMD_PORT") 2>/dev/null; then
    setsid "$(epmd)" -port "$ERL_EPMD_PORT" </dev/null >"$home/log/epmd" 2>&1 &
    echo $! >"$home/epmd.pid"
  fi
  if ! running pid; then
    rm -f "$home/pid"
    # The script execs Erlang, which writes its pid.
    setsid $bin/rabbitmq-server </dev/null >"$home/log/console" 2>&1 &
    echo $! >"$home/starter.pid"
  fi
  # Only the end of the node or of the time is a failure: on a busy machine the client
  # itself breaks off, too, while the node still starts.
  local end=$((SECONDS + 180))
  until timeout 90 $bin/rabbitmqctl -q wait --timeout 80 "$RABBITMQ_PID_FILE" >"$home/log/wait" 2>&1; do
    sleep 0.5
    [ $SECONDS -ge $end ] || ! { running pid || kill -0 "$(cat "$home/starter.pid")" 2>/dev/null; } || continue
    echo "rabbitmq has not started; its logs, $home/log/wait $home/log/console, end:" >&2
    head -n 5 "$home/log/wait" >&2
    tail -n 20 "$home/log/wait" "$home/log/console" >&2 || true
    exit 1
  done
  # Places apart for tests which run beside those of the package and use the same
  # names: of hosts/egrid, and of hosts/internal/service.
  [ -z "${EGRID_RABBITMQ_CLUSTER:-}" ] || { echo "$url" && return; }
  for vhost in hosts service; do
    $bin/rabbitmqctl -q list_vhosts | grep -qx $vhost || {
      $bin/rabbitmqctl -q add_vhost $vhost
      $bin/rabbitmqctl -q set_permissions -p $vhost guest '.*' '.*' '.*'
    }
  done
  echo "$url"
}

# end waits until a process that start began is gone.
end() { # the name of a pid file, and a signal
  if running "$1"; then
    local pid tries=0
    pid=$(cat "$home/$1")
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
    while running "$1"; do
      tries=$((tries + 1))
      [ $tries -lt 150 ] || kill -9 "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -f "$home/$1"
}

stop() {
  end pid
  end starter.pid
  end epmd.pid
}

case ${1:-} in
start) start ;;
stop) stop ;;
restart)
  end pid
  end starter.pid
  start
  ;;
kill)
  end pid KILL
  end starter.pid KILL
  start
  ;;
crash)
  end pid KILL
  end starter.pid KILL
  ;;
join)
  $bin/rabbitmqctl -q stop_app
  $bin/rabbitmqctl -q join_cluster "$2"
  $bin/rabbitmqctl -q start_app
  ;;
running) $bin/rabbitmqctl -q eval 'length([node() | nodes()]).' ;; # nodes of its cluster
block) $bin/rabbitmqctl -q set_vm_memory_high_watermark 0 ;;
unblock) $bin/rabbitmqctl -q set_vm_memory_high_watermark 0.6 ;;
block-disk) $bin/rabbitmqctl -q set_disk_free_limit 100000GB ;;
unblock-disk) $bin/rabbitmqctl -q set_disk_free_limit 200MB ;;
url) echo "$url" ;;
*)
  echo "usage: $0 start|stop|restart|kill|crash|join NODE|running|block|unblock|block-disk|unblock-disk|url" >&2
  exit 2
  ;;
esac
