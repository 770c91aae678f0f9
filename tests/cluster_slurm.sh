#!/bin/bash
# report/cluster/slurm.sh in a Slurm of two nodes on this machine, without systemd: an array, a
# task that is requeued, a node that is lost while its task lives on.
set -u
cd "$(dirname "$0")/.."
D=$(mktemp -d)
started=
finish() {
    scancel --full --signal=KILL --user="$(id -un)" 2>/dev/null
    # shellcheck disable=SC2086 # a list
    kill -9 $started 2>/dev/null
    wait 2>/dev/null
    rm -rf "$D"
}
trap finish EXIT
. tests/cluster.sh
umask 022
chmod 755 "$D"
mkdir -m 755 "$D/munge" "$D/state"
(umask 077; head -c 128 /dev/urandom >"$D/munge/key")
me=$(id -un)
cat >"$D/slurm.conf" <<END
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=$me
SlurmdUser=$me
SlurmctldPort=26817
AuthType=auth/munge
AuthInfo=socket=$D/munge/sock,cred_expire=5
StateSaveLocation=$D/state
SlurmctldPidFile=$D/ctld.pid
SlurmdPidFile=$D/slurmd.%n.pid
SlurmdSpoolDir=$D/spool.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
ReturnToService=2
SlurmdTimeout=10
KillWait=2
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=26818 CPUs=2
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=26819 CPUs=2
PartitionName=p Nodes=n[1-2] Default=YES LLN=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$D/slurm.conf
daemon() { # NAME COMMAND...
    local log=$D/$1.log
    shift
    "$@" >"$log" 2>&1 &
    last=$!
    started="$started $last"
}
daemon munged munged -F --key-file="$D/munge/key" --socket="$D/munge/sock" --pid-file="$D/munge/pid" \
    --seed-file="$D/munge/seed" --log-file="$D/munge/log"
wait_until test -S "$D/munge/sock"
daemon ctld slurmctld -D -i
daemon n1 slurmd -D -N n1
daemon n2 slurmd -D -N n2
second=$last
idle() { [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c '^idle$')" = 2 ]; }
running() { squeue -h -r -j "$1" -t R -o %K 2>/dev/null | grep -qx "$2"; }
on_second() { squeue -h -r -j "$1" -t R -o %N 2>/dev/null | grep -qx n2; }
gone() { [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]; }
there() { [ "$(begun "$1")" -ge "$2" ]; }
submit() { # NAME: the job's number
    sbatch --parsable --array=1-6 --output="$D/$1.out" report/cluster/slurm.sh "$D/$1"
}

prepare
check 'two nodes are idle' wait_until idle

plan array
check 'an array of six' sbatch --wait --array=1-6 --output="$D/array.out" report/cluster/slurm.sh "$D/array"
check 'an array: the report is that of one run' merge array
check 'what is done is not done again' sbatch --wait --array=2,5 --output="$D/array.out" report/cluster/slurm.sh "$D/array" 6
check 'some of an array without their number are refused' \
    eval '! sbatch --wait --array=2,5 --output="$D/array.out" report/cluster/slurm.sh "$D/array"'

plan requeued
job=$(submit requeued)
check 'task 2 runs' wait_until running "$job" 2
check 'it has something' wait_until there requeued 2
check 'task 2 is requeued' scontrol requeue "${job}_2"
check 'a requeued task: the array ends' wait_until gone "$job"
check 'a requeued task: the report is that of one run' merge requeued

plan lost
job=$(submit lost)
check 'the second node works' wait_until on_second "$job"
check 'its tasks have something' wait_until there lost 3
kill -9 "$second"
scontrol update nodename=n2 state=down reason=test
check 'a lost node: the array ends on the other' wait_until gone "$job"
check 'a lost node: the report is that of one run' merge lost
[ "$failed" = 0 ] || tail -n 20 "$D"/*.log "$D"/*.out
conclude Slurm
