"""Upscale folders of broken HEICs with the command: `python -m tests.fuzz.heic_folders --count 10000`.

What the fuzz targets don't show is looked at here: the whole command lives through each folder, gives every file a
result or a refusal that names it, and every result can be read. Files of a folder that went wrong are kept.
"""

import argparse
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from PIL import Image

from tests.engine.tiny import save, tiny_rrdb
from tests.imaging.test_heic import SAMPLES

_ROOT: Final = Path(__file__).resolve().parents[2]
_BYTES: Final = (0, 1, 127, 128, 255)


def main() -> int:
    """Make, upscale and judge one folder after the other; exit code 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="files in all")
    parser.add_argument("--each", type=int, default=500, help="files in a folder")
    parser.add_argument("--seed", type=int, default=1, help="of the first folder")
    parser.add_argument("--keep", type=Path, default=Path(".fuzz/heic"), help="for folders that went wrong")
    given = parser.parse_args()
    total = Counter[str]()
    wrong: list[str] = []
    for number in range(-(-given.count // given.each)):
        count = min(given.each, given.count - number * given.each)
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            make_folder(place, count, given.seed + number)
            counted, faults = upscaled(place)
            if faults:
                shutil.copytree(place, given.keep / str(given.seed + number), dirs_exist_ok=True)
        total += counted
        wrong += [f"folder {given.seed + number}: {fault}" for fault in faults]
        print(dict(total), f"{len(wrong)} wrong", flush=True)
    print("\n".join(wrong))
    return 1 if wrong else 0


def make_folder(place: Path, count: int, seed: int) -> None:
    """Write a tiny network, and `count` HEICs with bytes changed, cut out, put in or cut off."""
    (place / "in").mkdir()
    save(tiny_rrdb(blocks=1, width=4), place / "tiny.onnx")
    dice = random.Random(seed)
    sound = [base64.b64decode(data) for data in SAMPLES.values()]
    for number in range(count):
        (place / "in" / f"m{number:05}.heic").write_bytes(mutant(dice, sound))


def mutant(dice: random.Random, sound: list[bytes]) -> bytes:
    """Return a picture with one to eight faults; the tables at its start get most of them."""
    data = bytearray(dice.choice(sound))
    for _ in range(dice.choice((1, 1, 1, 2, 2, 4, 8))):
        at = dice.randrange(len(data) if dice.random() < 0.3 else min(len(data), 700))
        length = dice.choice((1, 1, 2, 4, 8, 40))
        match dice.randrange(10):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = data[at : at + length]
            case 2:
                other = dice.choice(sound)
                data[at : at + length] = other[at : at + length]
            case 3:
                data[at : at + 4] = dice.choice((0, 1, 1 << 16, 1 << 31, (1 << 32) - 1)).to_bytes(4, "big")
            case _:
                data[at] = dice.choice((*_BYTES, dice.randrange(256), data[at] ^ 1 << dice.randrange(8)))
        data = data or bytearray(b"\0")
    return bytes(data if dice.random() < 0.95 else data[: dice.randrange(len(data) + 1)])


def upscaled(place: Path) -> tuple[Counter[str], list[str]]:
    """Run the command on a folder: how many files became what, and what was wrong."""
    command = ["-m", "wildsr", "upscale", "in", "-o", "out", "-m", "tiny.onnx", "--json", "--threads", "1"]
    env = os.environ | {"PYTHONPATH": str(_ROOT / "src"), "WILDSR_OFFLINE": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=place, env=env, capture_output=True, text=True, check=False
    )
    (place / "stderr").write_text(done.stderr)
    names = {path.name for path in (place / "in").iterdir()}
    if done.returncode not in (0, 1):
        return Counter(died=1), [f"the command ended with {done.returncode}"]
    said = json.loads(done.stdout)
    results = {Path(entry["source"]).name: place / entry["target"] for entry in said["results"]}
    refused = {Path(entry["source"]).name: entry["reason"] for entry in said["failed"]}
    faults = [f"{name} has no outcome" for name in names - results.keys() - refused.keys()]
    faults += [f"{name} has two outcomes" for name in results.keys() & refused.keys()]
    faults += [f"{name}: {text}" for name, text in refused.items() if name not in text]
    faults += [f"{name} is not named on stderr" for name in refused if name not in done.stderr]
    faults += ["a traceback"] * ("Traceback" in done.stderr)
    written = {path for path in (place / "out").iterdir() if not path.name.startswith(".wildsr-journal")}
    faults += [f"{path.name} was left" for path in written - set(results.values())]
    for name, target in results.items():
        try:
            Image.open(target).load()
        except OSError as error:
            faults.append(f"{name}: {error}")
    crashed = sum("crashed" in text for text in refused.values())
    return Counter(read=len(results), refused=len(refused), decoder_crashed=crashed), faults


if __name__ == "__main__":
    sys.exit(main())
