"""Fuzz for a while: `python -m tests.fuzz.run --minutes 60 [target …]`.

Each target runs in a process of its own (atheris, libFuzzer), so that a crash in a C library ends only that
process and leaves its input behind. Inputs that raise are saved once for each place in the code that does,
with the traceback, and fuzzing goes on. Findings and corpora are kept in `--folder`; exit code 1 means that
there are some.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_MEMORY_MB: Final = 3000
_TIMEOUT_SECONDS: Final = 25
_LONGEST_INPUT: Final = 20_000


def main() -> int:
    """Fuzz the targets in turn, and report."""
    arguments = parse()
    if arguments.child:
        return child(arguments.child, arguments.folder, arguments.seconds)
    from tests.fuzz.targets import TARGETS

    targets = arguments.targets or list(TARGETS)
    seconds = arguments.minutes * 60 / len(targets)
    for target in targets:
        fuzz(target, arguments.folder, seconds)
    findings = sorted(arguments.folder.glob("*/findings/*"))
    print(f"{len(findings)} files of findings under {arguments.folder}")
    return 1 if findings else 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", help="all when not given")
    parser.add_argument("--minutes", type=float, default=60, help="in all")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="for findings and corpora")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def fuzz(target: str, folder: Path, seconds: float) -> None:
    """Fuzz one target, starting again whenever its process dies."""
    from tests.fuzz.seeds import SEEDS

    place = folder / target
    corpus, findings = place / "corpus", place / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        (corpus / f"seed-{number}").write_bytes(seed)
    end = time.monotonic() + seconds
    with (place / "log").open("ab") as log:
        while (left := end - time.monotonic()) > 1:
            command = [sys.executable, "-m", "tests.fuzz.run", "--child", target]
            command += ["--folder", str(folder.resolve()), "--seconds", str(left)]
            done = subprocess.run(command, stdout=log, stderr=log, check=False, cwd=_ROOT)
            left = max(0, end - time.monotonic())
            print(f"{target}: process ended with {done.returncode}, {left:.0f} s left", flush=True)
            if done.returncode == -signal.SIGINT:
                break


def child(target: str, folder: Path, seconds: float) -> int:
    """Fuzz one target in this process."""
    import atheris

    with atheris.instrument_imports(include=["wildsr"]):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.seeds import repaired

    findings = folder / target / "findings"
    seen = {path.name for path in findings.glob("*.txt")}
    run = TARGETS[target]

    def once(data: bytes) -> None:
        try:
            run(data)
        except Exception as error:  # each is a finding; the next input follows
            report(error, data, findings, seen)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        changed = atheris.Mutate(data, longest)
        return repaired(changed)[:longest] if seed % 4 else changed

    flags = [
        sys.argv[0],
        f"-max_total_time={max(1, int(seconds))}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-timeout={_TIMEOUT_SECONDS}",
        f"-max_len={_LONGEST_INPUT}",
        f"-artifact_prefix={findings}{os.sep}",
        "-print_final_stats=1",
        "-len_control=0",
        str(folder / target / "corpus"),
    ]
    atheris.Setup(flags, once, custom_mutator=mutate)
    atheris.Fuzz()
    return 0


def report(error: Exception, data: bytes, findings: Path, seen: set[str]) -> None:
    """Save the first input that raises at some place."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/wildsr/" in frame.filename]
    where = f"{Path(frames[-1].filename).stem}-{frames[-1].lineno}" if frames else "target"
    last = traceback.extract_tb(error.__traceback__)[-1]
    name = f"{type(error).__name__}-{where}-{last.lineno}.txt"
    if name not in seen:
        seen.add(name)
        (findings / name).write_text("".join(traceback.format_exception(error)), "utf-8", "backslashreplace")
        (findings / name).with_suffix(".bin").write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
