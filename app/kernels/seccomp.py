"""A seccomp filter: the system calls a kernel may make; every other one is refused with EPERM.

It holds where Landlock cannot look: sockets of every kind, changing modes and times, starting programs, other
processes, keys, io_uring, and the doors for 32-bit programs.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from app.kernels import linux

#: name, number on x86_64, number on aarch64 ("-" where it does not exist).
_NUMBERS = """
    read 0 63; write 1 64; readv 19 65; writev 20 66; pread64 17 67; pwrite64 18 68; preadv 295 69; pwritev 296 70;
    lseek 8 62; open 2 -; openat 257 56; openat2 437 437; creat 85 -; close 3 57; close_range 436 436; dup 32 23;
    dup2 33 -; dup3 292 24; fcntl 72 25; flock 73 32; fsync 74 82; fdatasync 75 83; ftruncate 77 46; truncate 76 45;
    fallocate 285 47; fadvise64 221 223; stat 4 -; fstat 5 80; lstat 6 -; newfstatat 262 79; statx 332 291;
    access 21 -; faccessat 269 48; faccessat2 439 439; readlink 89 -; readlinkat 267 78; getcwd 79 17; chdir 80 49;
    fchdir 81 50; mkdir 83 -; mkdirat 258 34; rmdir 84 -; unlink 87 -; unlinkat 263 35; rename 82 -; renameat 264 38;
    renameat2 316 276; getdents 78 -; getdents64 217 61; statfs 137 43; fstatfs 138 44; umask 95 166;
    copy_file_range 326 285; sendfile 40 71; mmap 9 222; munmap 11 215; mremap 25 216; mprotect 10 226; madvise 28 233;
    brk 12 214; msync 26 227; mincore 27 232; membarrier 324 283; futex 202 98; futex_waitv 449 449;
    set_robust_list 273 99; get_robust_list 274 100; rseq 334 293; set_tid_address 218 96; sched_yield 24 124;
    sched_getaffinity 204 123; sched_getparam 143 121; sched_getscheduler 145 120; getcpu 309 168; rt_sigaction 13 134;
    rt_sigprocmask 14 135; rt_sigreturn 15 139; rt_sigpending 127 136; rt_sigtimedwait 128 137; rt_sigsuspend 130 133;
    sigaltstack 131 132; restart_syscall 219 128; pause 34 -; nanosleep 35 101; clock_nanosleep 230 115;
    clock_gettime 228 113; clock_getres 229 114; gettimeofday 96 169; time 201 -; times 100 153; getrusage 98 165;
    getitimer 36 102; setitimer 38 103; alarm 37 -; timer_create 222 107; timer_settime 223 110; timer_gettime 224 108;
    timer_getoverrun 225 109; timer_delete 226 111; timerfd_create 283 85; timerfd_settime 286 86;
    timerfd_gettime 287 87; pipe 22 -; pipe2 293 59; poll 7 -; ppoll 271 73; select 23 -; pselect6 270 72;
    epoll_create 213 -; epoll_create1 291 20; epoll_ctl 233 21; epoll_wait 232 -; epoll_pwait 281 22;
    epoll_pwait2 441 441; eventfd 284 -; eventfd2 290 19; sendto 44 206; recvfrom 45 207; shutdown 48 210;
    getsockopt 55 209; setsockopt 54 208; getsockname 51 204; getpeername 52 205; getpid 39 172; gettid 186 178;
    getppid 110 173; getuid 102 174; geteuid 107 175; getgid 104 176; getegid 108 177; getresuid 118 148;
    getresgid 120 150; getgroups 115 158; getpgrp 111 -; getpgid 121 155; getsid 124 156; getpriority 140 141;
    uname 63 160; sysinfo 99 179; getrandom 318 278; getrlimit 97 163; arch_prctl 158 -; wait4 61 260; waitid 247 95;
    exit 60 93; exit_group 231 94; clone 56 220; clone3 435 435; ioctl 16 29; prctl 157 167; prlimit64 302 261;
    kill 62 129; tgkill 234 131; socketpair 53 199; seccomp 317 277
"""

#: These are allowed only with certain arguments; see `_program`.
_CHECKED = {"clone", "clone3", "ioctl", "prctl", "prlimit64", "kill", "tgkill", "socketpair"}

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_PR_SET_NAME = 15
_CLONE_THREAD = 0x00010000
_AF_UNIX = 1
#: Closing on exec, blocking or not, bytes waiting, and the two that ask whether a descriptor is a terminal.
_IOCTLS = (0x5450, 0x5451, 0x5421, 0x541B, 0x5401, 0x5413)

_SET_MODE_FILTER = 1
_TSYNC = 1

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_MISSING = 0x00050000 | errno.ENOSYS

_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06

Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def supported() -> bool:
    """Whether the numbers of this machine's system calls are known here."""
    return linux.AVAILABLE and linux.MACHINE in _ARCHITECTURES


def restrict() -> None:
    """Filter this thread, and all it starts, from now on. no_new_privs must be set.

    Raises:
        OSError: seccomp is missing or refused.
    """
    _install(_program(os.getpid()), 0)


def forbid_threads() -> None:
    """Let no thread of this process start another. Call after `restrict`, from any thread.

    Raises:
        OSError: seccomp is missing or refused.
    """
    number = _table()["clone"]
    program = [(_LOAD, 0, 0, 0), *_when_equal(number, [(_RETURN, 0, 0, _REFUSE)]), (_RETURN, 0, 0, _ALLOW)]
    _install(program, _TSYNC)


def _table() -> dict[str, int]:
    if not supported():
        raise OSError(f"the system calls of {linux.MACHINE} are not known")
    column = 1 if linux.MACHINE == "x86_64" else 2
    rows = (entry.split() for entry in _NUMBERS.split(";"))
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def _install(program: list[Instruction], flags: int) -> None:
    packed = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    header = _Program(len(program), ctypes.cast(buffer, ctypes.c_void_p))
    linux.syscall(_table()["seccomp"], _SET_MODE_FILTER, flags, ctypes.byref(header))


def _low(argument: int) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * argument)


def _high(argument: int) -> Instruction:
    return (_LOAD, 0, 0, 20 + 8 * argument)


def _when_equal(value: int, then: list[Instruction]) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, len(then), value), *then]


def _program(pid: int) -> list[Instruction]:
    """Write the filter for the process `pid`, which may signal only itself."""
    table = _table()
    allow: Instruction = (_RETURN, 0, 0, _ALLOW)
    refuse: Instruction = (_RETURN, 0, 0, _REFUSE)
    one_of_ioctls = [_low(1)]
    for request in _IOCTLS:
        one_of_ioctls += _when_equal(request, [allow])
    only_reading_limits = [_low(0)]
    for word in (_low(2), _high(2)):
        only_reading_limits += [(_JUMP_EQUAL, 1, 0, 0), refuse, word]
    checks: dict[str, list[Instruction]] = {
        "clone": [_low(0), (_JUMP_SET, 0, 1, _CLONE_THREAD), allow],
        "ioctl": one_of_ioctls,
        "prctl": [_low(0), *_when_equal(_PR_SET_NAME, [allow])],
        "prlimit64": [*only_reading_limits, *_when_equal(0, [allow])],
        "kill": [_low(0), *_when_equal(pid, [allow])],
        "tgkill": [_low(0), *_when_equal(pid, [allow])],
        "socketpair": [_low(0), *_when_equal(_AF_UNIX, [allow])],
        # A pointer hides clone3's flags from the filter: the C library falls back to clone.
        "clone3": [(_RETURN, 0, 0, _MISSING)],
    }
    program: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_JUMP_EQUAL, 1, 0, _ARCHITECTURES[linux.MACHINE]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, 0),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT),
        refuse,
    ]
    for name, number in table.items():
        if name not in _CHECKED:
            program += _when_equal(number, [allow])
    for name, check in checks.items():
        program += _when_equal(table[name], [*check, refuse])
    return [*program, refuse]
