"""A circuit breaker: after several failures in a row callers are refused at once, until one trial call succeeds.

It spares the failing service the load and the caller the wait.
"""

import time
from collections.abc import Callable


class CircuitOpenError(Exception):
    """Refused without trying."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"no calls for another {retry_after_seconds:.1f} s")
        self.retry_after_seconds = retry_after_seconds


class CircuitBreaker:
    """Counts failures in a row. Not for threads: it belongs to one event loop."""

    def __init__(
        self, threshold: int = 5, cooldown_seconds: float = 10, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._cooldown_seconds = cooldown_seconds
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused now."""
        return self._open_until is not None and self._clock() < self._open_until

    def before_call(self) -> None:
        """Raise if the circuit is open. Once the cool-down is over one call is let through as a trial."""
        if self._open_until is None:
            return
        now = self._clock()
        if now < self._open_until:
            raise CircuitOpenError(self._open_until - now)
        # Others stay out until this trial has said how it went, or another cool-down has passed without its word.
        self._open_until = now + self._cooldown_seconds

    def succeeded(self) -> None:
        """The call went well: close the circuit."""
        self._failures = 0
        self._open_until = None

    def failed(self) -> None:
        """The call failed: open the circuit when that was one too many, and again after a failed trial."""
        self._failures += 1
        if self._failures >= self._threshold:
            self._open_until = self._clock() + self._cooldown_seconds
