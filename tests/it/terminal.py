"""Runs a command on a terminal of 80 columns, answers its first question, prints what the terminal showed.

usage: terminal.py ANSWER COMMAND [ARGUMENT...]; ends with the command's exit code. ANSWER `^C` is an interrupt.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

answer, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
shown = b""
answered = False
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
    if not answered and b"is a yes: " in shown:
        os.write(terminal, b"\x03" if answer == "^C" else answer.encode() + b"\n")
        answered = True
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
