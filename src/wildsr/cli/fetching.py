"""Fetch a model with a progress bar."""

from wildsr.cli.console import progress_bar
from wildsr.models import Model, load_model


def fetch_model(name: str, *, offline: bool | None = None) -> Model:
    """Load a model; a download is shown on stderr."""
    with progress_bar(quiet=False) as bar:
        task = bar.add_task(f"fetching {name} (kB)", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done // 1000, total=total // 1000, visible=True)

        return load_model(name, offline=offline, progress=show)
