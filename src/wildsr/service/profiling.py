"""A process that learns a profile: a folder of photos in, `camera.profile` and its page out. PyTorch stays in it.

Says how far it is as JSON, a line each, and ends with its parent.
"""

import json
import os
import sys
import threading
from pathlib import Path

from wildsr.errors import WildsrError


def main() -> None:
    """Learn a profile: `python -m wildsr.service.profiling PHOTOS OUT NAME`."""
    photos, out, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _learn(photos, out, name)
    except ModuleNotFoundError as error:
        _tell(
            {
                "error": f"profiles need the package {error.name}, which is not installed on this service",
                "hint": 'its operator can: pip install "wildsr[train]"',
            }
        )
    except WildsrError as error:
        _tell({"error": str(error), "hint": error.hint})


def _learn(photos: Path, out: Path, name: str) -> None:
    from wildsr.estimation import make_profile
    from wildsr.estimation.profile.page import profile_page
    from wildsr.files import atomic_write

    def progress(done: int, count: int, _photo: Path) -> None:
        _tell({"done": done, "photos": count})

    profile = make_profile([photos], out / "camera.profile", overwrite=True, progress=progress)
    with atomic_write(out / "page.html") as temporary:
        temporary.write_text(profile_page(profile, name=name), encoding="utf-8")
    _tell(
        {
            "facts": True,
            "kernels": len(profile.kernels),
            "patches": len(profile.noise),
            "rejected": len(profile.meta.rejected),
        }
    )


def _tell(facts: dict[str, str | int | bool | None]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
