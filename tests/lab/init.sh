#!/bin/sh
# Second stage in the guest, process 1 on the release's own disk: mounts what a running system
# has, runs /lab/run.sh on the second serial line, packs /lab/out onto the result disk.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=dumb

mount -t tmpfs -o mode=755 run /run
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t tmpfs shm /dev/shm
mount -t securityfs securityfs /sys/kernel/security
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
hostname "$(cat /lab/hostname)"

# The payload looks like a package installed for the system's Python.
printf '%s\n' /lab/tree /lab/deps >/usr/lib/python3/dist-packages/xtrace-lab.pth
cat >/usr/local/bin/xtrace <<'WRAPPER'
#!/bin/sh
exec /usr/bin/python3 -m xtrace "$@"
WRAPPER
chmod 755 /usr/local/bin/xtrace
export XTRACE_STAP_MODULES=/lab/stap

mkdir -p /lab/out
cd /root || exit
line=/dev/ttyS1
stty -F $line raw -echo
if [ -e /lab/interactive ]; then
    stty -F $line sane
    TERM=linux setsid -c bash -i <$line >$line 2>&1
else
    setsid bash /lab/run.sh <$line >$line 2>&1
fi
echo $? >/lab/out/status
tar -cf /dev/vdc -C /lab/out .
sync
busybox poweroff -f
