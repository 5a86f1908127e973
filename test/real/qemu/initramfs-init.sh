#!/bin/busybox sh
# PID 1 of the first root: puts the disk's writable layer over the outer machine's root and hands over to the job, or to systemd.
/bin/busybox mkdir -p /bin /proc /sys /dev /outer /layer /root
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read module; do insmod "/modules/$module"; done < /modules/order
mount -t virtiofs -o ro outer /outer || poweroff -f
mount -t ext4 /dev/vda /layer || poweroff -f
mkdir -p /layer/upper /layer/work
mount -t overlay -o lowerdir=/outer,upperdir=/layer/upper,workdir=/layer/work overlay /root || poweroff -f
# A container has its mark there; this is a machine.
rm -f /root/.dockerenv
argument() { sed -n "s/.*tautline_$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
mkdir -p /root/lib/modules
mount -o bind "/outer$(argument kernel)/lib/modules" /root/lib/modules
mount -t tmpfs tmpfs /root/run
mount -t tmpfs tmpfs /root/mnt
mkdir /root/mnt/job /root/mnt/written
# What the machine has written on its disk since it was new, and nothing else.
mount -o bind,ro /layer/upper /root/mnt/written
mount -t virtiofs job /root/mnt/job || poweroff -f
init=/mnt/job/init.sh
if [ "$(argument init)" = systemd ]; then
  sh /root/mnt/job/units.sh /root
  init=/lib/systemd/systemd
fi
for folder in proc sys dev; do mount -o move /$folder /root/$folder; done
exec switch_root /root $init
