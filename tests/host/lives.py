# SPDX-License-Identifier: GPL-3.0-or-later
"""Lives of the example master, each killed (SIGKILL) at a point of what it says."""
import fcntl
import os
import subprocess

SET_PIPE_SIZE = getattr(fcntl, 'F_SETPIPE_SZ', 1031)
LINE_BYTES_MAX = 4096


def narrow_pipe():
    """A pipe that holds one line: who writes cannot run ahead of who reads, however busy the
    machine is. Elsewhere than on Linux it is any pipe."""
    try:
        reading, writing = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    except (AttributeError, OSError):
        return os.pipe()
    try:
        fcntl.fcntl(writing, SET_PIPE_SIZE, LINE_BYTES_MAX)
    except OSError:
        pass
    return reading, writing


def live(command, enough):
    """One life, killed as soon as enough(lines), which is asked line by line; a life that ends by
    itself is not. Returns (its lines, its exit code)."""
    reading, writing = narrow_pipe()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writing)
    os.close(writing)
    text = b''
    killed = False
    while True:
        piece = os.read(reading, LINE_BYTES_MAX)
        if not piece:
            break
        text += piece
        # Lines that were in the pipe at the kill count, too.
        if not killed and enough(text.decode().split('\n')[:-1]):
            process.kill()
            killed = True
    os.close(reading)
    return text.decode().split('\n')[:-1], process.wait()
