"""What every HTTP service of this system needs: logs, request ids, problem details.

Both services carry the same copy of this package, since each image is built from its own folder alone; the checks
compare the copies, so a change goes into both.
"""
