"""A program: loaders that signals end at random moments. A loader that doesn't end shows where its threads are."""

import faulthandler
import random
import signal
import time
from contextlib import closing

import numpy as np

from wildsr.data import Sample, batches
from wildsr.training.interruption import interruptible

LOADERS = 1500


class Quick:
    def sample(self, _seed: int, index: int) -> Sample:
        if index % 3 == 0:
            time.sleep(0.0004)
        return Sample(lr=np.zeros((1, 1, 3), np.uint8), hr=np.zeros((2, 2, 3), np.uint8), name="x")


def main() -> None:
    moments = random.Random()
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGTERM))
    for _ in range(LOADERS):
        faulthandler.dump_traceback_later(30, exit=True)
        signal.signal(signal.SIGTERM, lambda *_: None)
        with interruptible() as interruption:
            source = batches(Quick(), seed=0, batch=1, asked_to_stop=lambda: interruption.asked)
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(0.0001, 0.006))
            with closing(source):
                while not interruption.asked and next(source, None) is not None:
                    time.sleep(0)
    faulthandler.cancel_dump_traceback_later()
    print(LOADERS, "loaders ended")


if __name__ == "__main__":
    main()
