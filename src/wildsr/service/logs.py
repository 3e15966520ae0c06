"""Logs as one JSON object a line: programs read them, and nothing a client sent can forge a line."""

import json
import logging
import sys
import time
from typing import Final

LOGGER: Final = "wildsr.service"


class JsonLines(logging.Formatter):
    """Formats records; `extra={"facts": {…}}` adds fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.casefold(),
            "event": record.getMessage(),
            "process": record.process,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def log_to_stderr(level: str = "info") -> None:
    """Send the service's log to stderr; called once by a process that serves or works."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (LOGGER, "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING if name != LOGGER else level.upper())
