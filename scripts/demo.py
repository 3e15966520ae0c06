"""`make demo`: upscale one real photo and say where the results are."""

import subprocess
import sys
from pathlib import Path

from wildsr.assets import SAMPLE_PHOTOS, fetch

FOLDER = Path(__file__).resolve().parents[1] / "demo"


def main() -> None:
    if len(sys.argv) > 1:
        photo = Path(sys.argv[1])
    else:
        print("fetching a sample photo (PHOTO=path takes yours) …", flush=True)
        photo = fetch(next(iter(SAMPLE_PHOTOS.values())))
    target = FOLDER / f"{photo.stem}_x4.png"
    command = ["upscale", str(photo), "-o", str(target), "--compare", "--overwrite"]
    print(f"wildsr {' '.join(command)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "wildsr", *command], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    print(f"\nresult:        {target}\nbefore/after:  {FOLDER / f'{photo.stem}_x4_compare.png'}")


if __name__ == "__main__":
    main()
