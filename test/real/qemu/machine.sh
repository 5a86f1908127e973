#!/bin/sh
# PID 1 of a process namespace of its own, with a network and mounts of its own: all of it ends with this shell.
# machine.sh JOB VIRTIOFSD SECONDS QEMU-ARGUMENT...
set -e
job=$1 virtiofsd=$2 seconds=$3
shift 3
ip tuntap add dev lab0 mode tap multi_queue
ip addr add 10.88.0.1/24 dev lab0
ip link set lab0 up
# A read-only view: whatever the guest does, nothing of this machine is written but the job's own folder.
mkdir -p "$job/root"
mount --rbind / "$job/root"
awk -v root="$job/root" '$5 == root || index($5, root "/") == 1 { print $5 }' /proc/self/mountinfo | while read -r mounted; do
  # What is covered by another mount cannot be reached, by the guest neither.
  mount -o remount,bind,ro "$mounted" || true
done
cd "$job"
# It keeps a file open for each that the guest knows of; looking at those that were only listed would be too many.
"$virtiofsd" --socket-path="$job/outer.socket" -o source="$job/root" -o cache=always -o no_readdirplus -o sandbox=chroot > "$job/outer.log" 2>&1 &
"$virtiofsd" --socket-path="$job/job.socket" -o source="$job/shared" -o cache=none -o sandbox=chroot > "$job/job.log" 2>&1 &
for tick in $(seq 100); do
  [ -S "$job/outer.socket" ] && [ -S "$job/job.socket" ] && break
  sleep 0.05
done
status=0
timeout -k 5 "$seconds" qemu-system-x86_64 "$@" < /dev/null || status=$?
exit "$status"
