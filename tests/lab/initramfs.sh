#!/bin/busybox sh
# First program of the guest: loads the disk drivers, mounts the release, unpacks the payload
# into it and hands over to init.sh from that payload.
/bin/busybox --install -s /bin
export PATH=/bin

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in /modules/*.ko; do
    [ -e "$module" ] && insmod "$module"
done

tries=0
until [ -b /dev/vdc ] || [ $tries -ge 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
mount -t ext4 /dev/vda /root || exec echo 'lab: no root disk'
mkdir /root/lab
tar -xf /dev/vdb -C /root/lab || exec echo 'lab: no payload'
for folder in dev proc sys; do
    mount --move /$folder /root/$folder
done
exec switch_root /root /bin/sh /lab/init.sh
