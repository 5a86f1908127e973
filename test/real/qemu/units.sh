# What systemd is to start besides the machine's own units, for this boot only: all of it below /run, nothing on the disk.
# $1: where the root is. Services of the machine that have nothing to do with a boot's settings (databases, Docker) are masked.
units=$1/run/systemd/system
mkdir -p "$units/multi-user.target.wants" "$1/run/systemd/network"
for wanted in "$1"/etc/systemd/system/*.wants/* "$1"/lib/systemd/system/multi-user.target.wants/* "$1"/lib/systemd/system/timers.target.wants/*; do
  name=${wanted##*/}
  case $name in
    tautline-* | *.target | \*) ;;
    *) ln -sf /dev/null "$units/$name" ;;
  esac
done
# Neither what makes caches on the first boot of a disk, nor what walks through whole trees.
for name in ldconfig systemd-hwdb-update systemd-journal-catalog-update systemd-sysusers systemd-tmpfiles-setup systemd-tmpfiles-setup-dev \
  systemd-update-done systemd-update-utmp systemd-update-utmp-runlevel systemd-journal-flush systemd-udev-settle systemd-machine-id-commit; do
  ln -sf /dev/null "$units/$name.service"
done
ln -sf /dev/null "$units/getty.target"
# The job is no part of multi-user.target, which is reached before it begins.
mkdir -p "$units/default.target.wants"
cat > "$units/default.target" <<'END'
[Unit]
Requires=multi-user.target
After=multi-user.target
END
ln -sf /lib/systemd/system/systemd-networkd.service "$units/multi-user.target.wants/systemd-networkd.service"
cat > "$1/run/systemd/network/10-lab.network" <<'END'
[Match]
Name=eth0
[Network]
Address=10.88.0.2/24
Gateway=10.88.0.1
LinkLocalAddressing=no
IPv6AcceptRA=no
END
cat > "$units/lab-job.service" <<'END'
[Unit]
Description=What the test asks this machine
After=multi-user.target
[Service]
Type=oneshot
Environment=HOME=/root
StandardInput=null
ExecStart=/bin/sh /mnt/job/job-once.sh
END
ln -sf ../lab-job.service "$units/default.target.wants/lab-job.service"
