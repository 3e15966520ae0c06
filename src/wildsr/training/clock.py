"""Time of a training's steps."""

import time

from wildsr.training.state import State

_UNTIMED = 4
"""The first steps also pay for what is done once."""

_REMEMBERED = 200


class Clock:
    """Counts the steps of this process and adds their time to the state's total."""

    def __init__(self, state: State) -> None:
        self.steps = 0
        self._state = state
        self._last, self._last_cpu = time.monotonic(), time.process_time()
        self._timed: list[float] = []

    def tick(self) -> None:
        """A step is done."""
        now, cpu = time.monotonic(), time.process_time()
        self.steps += 1
        self._state.seconds += now - self._last
        self._state.cpu_seconds += cpu - self._last_cpu
        self._last_cpu = cpu
        if self.steps > _UNTIMED:
            self._timed = [*self._timed[1 - _REMEMBERED :], now - self._last]
        self._last = now

    def pace(self) -> float:
        """Seconds a step, lately (with validation and checkpoints in between)."""
        return sum(self._timed) / max(len(self._timed), 1)

    def remaining(self) -> float | None:
        """Seconds to the end."""
        if self._state.total is None:
            return None
        return (self._state.total - self._state.step) * self.pace()
