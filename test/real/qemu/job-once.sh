# Runs the test's script and turns the machine off. What it prints goes into the job's folder, which the test reads.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TAUTLINE_HISTORY_ENABLED=no
cd /mnt/job
bash -e job.sh > stdout 2> stderr < /dev/null
echo $? > code
sync
busybox poweroff -f
