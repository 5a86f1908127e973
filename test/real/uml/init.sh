#!/bin/sh
# PID 1 inside user-mode Linux. The machine's own root is mounted read-only; the one folder that can
# be written is the job's, handed over on the kernel command line and mounted at /mnt/job.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/mnt/job TMPDIR=/mnt/job TAUTLINE_HISTORY_ENABLED=no
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
mount -t tmpfs tmpfs /dev/shm
mkdir -p /mnt/job /mnt/modules/lib
job=$(sed 's/.*tautline_job=\([^ ]*\).*/\1/' /proc/cmdline)
mount -t hostfs none /mnt/job -o "$job"
# Debian keeps this kernel's modules apart from the machine's own.
ln -s /usr/lib/uml/modules /mnt/modules/lib/modules
printf '#!/bin/sh\nexec /sbin/modprobe -d /mnt/modules "$@"\n' > /mnt/modprobe
chmod +x /mnt/modprobe
echo /mnt/modprobe > /proc/sys/kernel/modprobe
ip link set lo up
cd /mnt/job
bash -e /mnt/job/job.sh > /mnt/job/stdout 2> /mnt/job/stderr < /dev/null
echo $? > /mnt/job/code
sync
busybox poweroff -f
