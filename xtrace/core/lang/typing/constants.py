"""Constants of the kernel's user-space ABI that C programs know as macros, so that no type information has them.

They are the same on every architecture and release that Linux tracing runs on. Names that differ between releases
(enums of the kernel's own) come from the host and are not here.

Sources: include/linux/socket.h, include/uapi/linux/{if_ether,in,stat,fcntl}.h, include/uapi/asm-generic/errno-base.h;
include/linux/sched.h for the three task states that sched:sched_switch has always shown with these numbers.
"""

from __future__ import annotations

ABI_CONSTANTS: dict[str, int] = {
    "AF_UNSPEC": 0,
    "AF_UNIX": 1,
    "AF_INET": 2,
    "AF_INET6": 10,
    "AF_NETLINK": 16,
    "AF_PACKET": 17,
    "ETH_P_IP": 0x0800,
    "ETH_P_ARP": 0x0806,
    "ETH_P_IPV6": 0x86DD,
    "IPPROTO_ICMP": 1,
    "IPPROTO_TCP": 6,
    "IPPROTO_UDP": 17,
    "IPPROTO_ICMPV6": 58,
    "SOCK_STREAM": 1,
    "SOCK_DGRAM": 2,
    "S_IFMT": 0o170000,
    "S_IFSOCK": 0o140000,
    "S_IFLNK": 0o120000,
    "S_IFREG": 0o100000,
    "S_IFBLK": 0o060000,
    "S_IFDIR": 0o040000,
    "S_IFCHR": 0o020000,
    "S_IFIFO": 0o010000,
    "O_ACCMODE": 3,
    "O_RDONLY": 0,
    "O_WRONLY": 1,
    "O_RDWR": 2,
    "AT_FDCWD": -100,
    "TASK_RUNNING": 0,
    "TASK_INTERRUPTIBLE": 1,
    "TASK_UNINTERRUPTIBLE": 2,
    "EPERM": 1,
    "ENOENT": 2,
    "EINTR": 4,
    "EIO": 5,
    "EBADF": 9,
    "EAGAIN": 11,
    "ENOMEM": 12,
    "EACCES": 13,
    "EFAULT": 14,
    "EBUSY": 16,
    "EEXIST": 17,
    "ENODEV": 19,
    "ENOTDIR": 20,
    "EISDIR": 21,
    "EINVAL": 22,
    "EMFILE": 24,
    "ENOSPC": 28,
    "EPIPE": 32,
}
