# Sourced by the guest's first process: what the kernel is asked to do while it is watched. `quiet` is all that a part says.

quiet() { "$@" >/dev/null 2>&1; }

# Modules that the workload needs come in the order of their dependencies; one that is not in this kernel is no matter.
load_modules() {
  for file in $(cat /modules/order); do quiet insmod /modules/$file; done
}

# A file system's life: made, mounted, used, written back, unmounted. $1 device, $2 type
use_file_system() {
  mkdir -p /mnt/$2
  if quiet mount -t $2 $1 /mnt/$2; then
    cp -r /usr /bin/busybox /mnt/$2/ 2>/dev/null
    quiet exercise files /mnt/$2
    quiet rarer files /mnt/$2
    quiet dd if=/dev/zero of=/mnt/$2/zeros bs=64k count=48 conv=fsync
    quiet mount -o remount,ro /mnt/$2
    quiet mount -o remount,rw /mnt/$2
    quiet df
  fi
}

work_files() {
  disk=$1
  quiet mkfs.ext4 -q -F -b 4096 $disk 512M && use_file_system $disk ext4
  truncate -s 320M /mnt/ext4/image 2>/dev/null || truncate -s 320M /tmp/image
  image=/mnt/ext4/image; [ -f $image ] || image=/tmp/image
  quiet losetup /dev/loop0 $image
  quiet mkfs.xfs -q -f /dev/loop0 && use_file_system /dev/loop0 xfs
  mkdir -p /tmp/files && { quiet exercise files /tmp/files; quiet rarer files /tmp/files; }
  # Swap in a file, on a disk's file system.
  quiet dd if=/dev/zero of=/mnt/ext4/swap bs=64k count=64 && quiet mkswap /mnt/ext4/swap && quiet swapon /mnt/ext4/swap &&
    { quiet exercise memory 8; quiet swapoff /mnt/ext4/swap; rm -f /mnt/ext4/swap; }
  mkdir -p /mnt/overlay /mnt/ext4/upper /mnt/ext4/work
  quiet mount -t overlay overlay -o lowerdir=/mnt/xfs:/tmp/files,upperdir=/mnt/ext4/upper,workdir=/mnt/ext4/work /mnt/overlay &&
    { quiet exercise files /mnt/overlay; quiet rarer files /mnt/overlay; echo x >> /mnt/overlay/busybox; rm -rf /mnt/overlay/usr; quiet umount /mnt/overlay; }
  quiet rm -rf /mnt/xfs/usr
  quiet umount /mnt/xfs
  quiet losetup -d /dev/loop0
}

# Device mapper: a table and encryption over loop devices; the disk itself, past its file system.
work_block() {
  disk=$1
  key=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  for number in 1 2; do
    truncate -s 24M /tmp/loop$number
    quiet losetup /dev/loop$number /tmp/loop$number
  done
  echo 0 49152 linear /dev/loop1 0 | quiet dmsetup create --noudevsync line
  echo 0 49152 crypt aes-xts-plain64 $key 0 /dev/loop2 0 | quiet dmsetup create --noudevsync crypt
  quiet dmsetup mknodes
  for node in line crypt; do
    [ -e /dev/mapper/$node ] || continue
    quiet dd if=/dev/zero of=/dev/mapper/$node bs=256k count=8 oflag=direct
    quiet dd if=/dev/mapper/$node of=/dev/null bs=64k count=32
    quiet mkfs.ext4 -q -F /dev/mapper/$node
    mkdir -p /mnt/$node
    quiet mount -t ext4 /dev/mapper/$node /mnt/$node && { quiet exercise files /mnt/$node; quiet umount /mnt/$node; }
    quiet dmsetup remove --noudevsync $node
  done
  for number in 1 2; do quiet losetup -d /dev/loop$number; rm /tmp/loop$number; done
  quiet dd if=$disk of=/dev/null bs=1M count=8 iflag=direct
  quiet blkdiscard -o 805306368 -l 1048576 $disk
  for scheduler in mq-deadline none; do
    echo $scheduler > /sys/block/${disk##*/}/queue/scheduler
    quiet dd if=$disk of=/dev/null bs=256k count=4 iflag=direct
  done 2>/dev/null
  quiet busybox blockdev --rereadpt $disk
}

work_network() {
  ifconfig lo 127.0.0.1 up
  quiet nft -f /rules.nft
  quiet exercise network
  quiet rarer network
  quiet ip link set lo mtu 1500
  quiet rarer network
  quiet ip link set lo mtu 65536
  quiet ping -c 1 127.0.0.1
  quiet ping6 -c 1 ::1
  quiet ip link add a type veth peer name b
  quiet ip link add bridge type bridge
  quiet ip link set a master bridge
  quiet ip addr add 10.9.9.1/24 dev bridge
  for link in a b bridge; do quiet ip link set $link up; done
  quiet ping -c 1 -W 1 -w 1 10.9.9.2
  quiet ip route; quiet ip neigh; quiet ip -6 route
  quiet ip link del a; quiet ip link del bridge
  quiet nft flush ruleset
}

# Reads the beginning of every file that it gets on its input.
read_all() { xargs -n 200 head -c 8192 >/dev/null 2>&1; }

work_proc() {
  find /proc /proc/self/ /proc/net/ /proc/self/task/ -maxdepth 1 -type f 2>/dev/null |
    grep -v -E '/(kcore|kmsg|sysrq-trigger|kpage.*|pagemap|mem|clear_refs)$' | read_all
  quiet head -c 100000 /proc/kallsyms
  find /proc/sys /sys/devices/system /sys/block /sys/fs /sys/class/net /sys/module/zram /sys/kernel/mm -type f 2>/dev/null | read_all
  mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
  find /sys/kernel/debug -maxdepth 2 -type f 2>/dev/null | grep -v tracing | read_all
}

# Memory runs short: anonymous pages go to compressed memory, clean ones are dropped. $1: MiB to touch
work_memory() {
  if [ -e /dev/zram0 ] && echo 96M > /sys/block/zram0/disksize 2>/dev/null; then
    quiet mkswap /dev/zram0 && quiet swapon /dev/zram0
  fi
  quiet exercise memory $1
  quiet rarer memory
  mkdir -p /cgroup
  if quiet mount -t cgroup2 cgroup /cgroup; then
    echo +memory +pids +cpu > /cgroup/cgroup.subtree_control 2>/dev/null
    mkdir -p /cgroup/small
    echo 12M > /cgroup/small/memory.max 2>/dev/null
    sh -c 'echo $$ > /cgroup/small/cgroup.procs; exec exercise memory 16' >/dev/null 2>&1
    quiet cat /cgroup/small/memory.stat
    sh -c 'echo $$ > /cgroup/small/cgroup.procs; sleep 1' & sleep 0.1
    echo 1 > /cgroup/small/cgroup.freeze; sleep 0.1; echo 0 > /cgroup/small/cgroup.freeze; wait $!
    quiet busybox rmdir /cgroup/small
    quiet umount /cgroup
  fi
  echo 3 > /proc/sys/vm/drop_caches
  echo 1 > /proc/sys/vm/compact_memory
  quiet swapoff /dev/zram0
  echo 1 > /sys/block/zram0/reset
}

work_processes() {
  quiet exercise processes
  quiet sh -c 'ls -l /bin | sort | uniq | wc; ps; sleep 0.1 & wait; (exit 3); kill -0 $$'
  quiet rarer processes
  quiet insmod /modules/probe.ko
  quiet rmmod probe
  quiet insmod /modules/probe.ko
  # A CPU goes and comes back, where there are two.
  online=/sys/devices/system/cpu/cpu1/online
  [ "$(cat $online)" = 1 ] && { echo 0 > $online; echo 1 > $online; }
  quiet dmesg
  quiet cat /proc/modules
}

# $1: the disk that may be overwritten, $2: MiB to touch
workload() {
  work_processes
  work_files $1
  work_block $1
  work_network
  work_memory $2
  work_proc
  quiet umount /mnt/ext4
  sync
}
