"""Numbers of control groups, as `bpf_get_current_cgroup_id` gives them."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_ID_BYTES = 8


class _Handle(ctypes.Structure):
    """`struct file_handle` of name_to_handle_at(2) with room for the id of a kernfs node."""

    _fields_ = (("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("id", ctypes.c_ubyte * _ID_BYTES))


def cgroup_id(path: str) -> int:
    """The id of the control group that a directory of the version 2 hierarchy is.

    It is the file handle of the directory (Documentation/admin-guide/cgroup-v2.rst, name_to_handle_at(2)); the inode is
    the same number only since Linux 5.5 (40430452fd5d). Raises OSError for what is none.
    """
    if not Path(path, "cgroup.controllers").exists():
        raise NotADirectoryError(errno.ENOTDIR, "no control group of version 2 is there", path)
    handle, mount = _Handle(bytes=_ID_BYTES), ctypes.c_int()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.name_to_handle_at(_AT_FDCWD, os.fsencode(path), ctypes.byref(handle), ctypes.byref(mount), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    return int.from_bytes(bytes(handle.id), sys.byteorder)
