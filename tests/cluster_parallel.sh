#!/bin/bash
# report/cluster/parallel.sh on three hosts, which are network namespaces with an sshd each: a
# host is killed in the middle, the controller is.  Root, parallel, sshd and ip are needed; the
# machine's own network and /run are not touched.
set -u
cd "$(dirname "$0")/.."
if [ "${1-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo 'cluster_parallel.sh: wants root, for network namespaces' >&2; exit 1; }
    D=$(mktemp -d)
    trap 'rm -rf "$D"' EXIT
    D=$D unshare --net --mount --pid --fork --mount-proc --kill-child bash "$0" inside
    exit
fi
. tests/cluster.sh
hosts='1 2 3'

mount -t tmpfs tmpfs /run
mkdir -p /run/netns
mkdir -m 755 /run/sshd
ip link add br0 type bridge
ip addr add 10.99.0.1/24 dev br0
ip link set br0 up
mkdir -p "$D/home" "$D/parallel"
touch "$D/parallel/will-cite"
ssh-keygen -q -t ed25519 -N '' -f "$D/key"
cp "$D/key.pub" "$D/authorized"
cat >"$D/ssh_config" <<END
Host h*
    User root
    Port 2222
    IdentityFile $D/key
    UserKnownHostsFile $D/known
    StrictHostKeyChecking no
    BatchMode yes
    LogLevel ERROR
    ConnectTimeout 3
    ServerAliveInterval 1
    ServerAliveCountMax 3
END
start_host() {
    ip netns exec "h$1" /usr/sbin/sshd -f "$D/sshd$1.conf" -E "$D/sshd$1.log"
}
for h in $hosts; do
    ip netns add "h$h"
    ip link add "v$h" type veth peer name eth0 netns "h$h"
    ip link set "v$h" master br0 up
    ip -n "h$h" addr add "10.99.0.1$h/24" dev eth0
    ip -n "h$h" link set eth0 up
    ip -n "h$h" link set lo up
    ssh-keygen -q -t ed25519 -N '' -f "$D/hostkey$h"
    printf 'Host h%s\n    HostName 10.99.0.1%s\n' "$h" "$h" >>"$D/ssh_config"
    cat >"$D/sshd$h.conf" <<END
Port 2222
ListenAddress 10.99.0.1$h
HostKey $D/hostkey$h
PidFile $D/sshd$h.pid
AuthorizedKeysFile $D/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
MaxStartups 100
SetEnv HOME=$D/home
END
    start_host "$h"
    echo "1/h$h" >>"$D/hosts"
done
export PARALLEL_SSH="ssh -F $D/ssh_config" PARALLEL_HOME=$D/parallel
kill_host() { # all that runs there, and its line
    ip netns pids "h$1" | xargs -r kill -9
    ip link set "v$1" down
}
run() { # NAME
    sh report/cluster/parallel.sh "$D/$1" 9 "$D/hosts" >>"$D/$1.log" 2>&1
}
there() { # COMMAND...: at least so many attempts have something
    [ "$(begun "$1")" -ge "$2" ]
}

prepare
plan "all well"
check 'nine shards on three hosts' run "all well"
check 'nine shards: the report is that of one run' merge "all well"

plan lost
run lost &
pid=$!
check 'three hosts work at once' wait_until there lost 3
kill_host 2
wait "$pid"
check 'a host lost in the middle: all shards end' test $? = 0
check 'a host lost: the report is that of one run' merge lost
check 'a host lost: its shards ran again' test "$(awk 'NR > 1 { print $2 }' "$D/lost/parallel.log" | grep -c h2)" -lt 3
ip link set v2 up
start_host 2

plan stopped
setsid sh report/cluster/parallel.sh "$D/stopped" 9 "$D/hosts" >"$D/stopped.log" 2>&1 &
pid=$!
check 'it works' wait_until there stopped 2
kill -9 -- "-$pid"
for h in $hosts; do
    ip netns pids "h$h" | xargs -r kill -9
    start_host "$h"
done
check 'the controller killed: shards lack' eval '! "$LPIPS" report merge "$D/stopped" 2>/dev/null'
check 'the controller killed: the same command goes on' run stopped
check 'the controller killed: the report is that of one run' merge stopped
[ "$failed" = 0 ] || tail -n 20 "$D"/*.log
conclude 'GNU parallel'
