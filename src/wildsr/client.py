"""A client of `wildsr serve`: photos in, results out, from another program or machine.

Examples:
    >>> from wildsr.client import Client
    >>> client = Client("http://127.0.0.1:8000")
    >>> for job in client.upscale(["photo.jpg"], scale=2):
    ...     client.download(client.wait(job), "results")
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import requests

from wildsr.errors import InputError, UsageError, WildsrError
from wildsr.files import atomic_write, make_folder, shown

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
_Json: TypeAlias = Mapping[str, object]

_CHUNK: Final = 1 << 18
_TIMEOUT: Final = 60.0
_FINAL: Final = frozenset(("done", "failed", "cancelled"))


class ServiceError(WildsrError):
    """The service refused a request, or can't be reached.

    Args:
        message: What it said.
        status: HTTP status; 0 where there was no answer.
        hint: What to do next.
    """

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class RemoteJob:
    """A job as the service told it last."""

    id: str
    """Names it."""

    kind: Literal["upscale", "profile"]
    """What is done."""

    state: State
    """How far it is."""

    name: str
    """What the photo is called."""

    model: str
    """The model that does it; empty for a profile."""

    share: float
    """How much of it is done, 0 to 1."""

    result_name: str | None
    """What the result is called, once there is one."""

    error: str | None
    """Why it failed."""

    @property
    def ended(self) -> bool:
        """Whether its state is final."""
        return self.state in _FINAL


class Client:
    """Talks to one service; its calls may come from several threads.

    Args:
        url: Where the service is, `http://127.0.0.1:8000` for example.
        token: What it asks for, if it does.
    """

    def __init__(self, url: str, *, token: str | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"{url!r} is no address of a service", hint="for example http://127.0.0.1:8000")
        self._url = url.rstrip("/")
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def upscale(
        self,
        photos: Sequence[str | Path],
        *,
        models: Sequence[str] = (),
        scale: float | None = None,
        strength: float = 1.0,
        sharpness: float | None = None,
        format: Literal["png", "jpg", "webp", "tiff", "avif"] = "png",  # noqa: A002 -- as in the API
        quality: int | None = None,
        strip_metadata: bool = False,
        strip_gps: bool = False,
    ) -> list[RemoteJob]:
        """Send photos; each becomes a job for each model.

        Args:
            photos: Files.
            models: Names of the service's models; its first by default.
            scale: Enlargement of each side; the model's own by default.
            strength: 0 gives plain bicubic enlargement, 1 the network's result.
            sharpness: For a model with two ends, from 0 (faithful) to 1 (crisp); its own by default.
            format: Of the results.
            quality: Of JPEG, WebP and AVIF.
            strip_metadata: Leave out EXIF, XMP, IPTC and text.
            strip_gps: Leave out where the photo was taken.

        Raises:
            InputError: A file can't be read.
            ServiceError: The service refuses: too much, too large, no such model, a model without the option.
        """
        fields = [("model", one) for one in models]
        fields += [("strength", repr(float(strength))), ("format", format)]
        fields += [] if scale is None else [("scale", repr(float(scale)))]
        fields += [] if sharpness is None else [("sharpness", repr(float(sharpness)))]
        fields += [] if quality is None else [("quality", str(quality))]
        fields += [("strip_metadata", "true")] if strip_metadata else []
        fields += [("strip_gps", "true")] if strip_gps else []
        return self._bring("/api/jobs", photos, fields)

    def profile(self, photos: Sequence[str | Path], *, name: str = "camera") -> RemoteJob:
        """Send photos of one camera; the result of the job is its degradation profile.

        Raises:
            InputError: A file can't be read.
            ServiceError: The service refuses.
        """
        return self._bring("/api/profiles", photos, [("name", name)])[0]

    def job(self, job: RemoteJob | str) -> RemoteJob:
        """Return a job as it is now."""
        return _job(self._json("GET", f"/api/jobs/{_id(job)}"))

    def jobs(self, *, state: State | None = None) -> Iterator[RemoteJob]:
        """Yield your jobs, the newest first."""
        query: dict[str, str] = {} if state is None else {"state": state}
        while True:
            page = self._json("GET", "/api/jobs", query)
            for one in cast(list[_Json], page["jobs"]):
                yield _job(one)
            if page["next"] is None:
                return
            query["before"] = str(page["next"])

    def wait(
        self,
        job: RemoteJob | str,
        *,
        progress: Callable[[RemoteJob], None] | None = None,
        timeout: float | None = None,
    ) -> RemoteJob:
        """Return a job when it has ended.

        Args:
            job: Which.
            progress: Called with each change.
            timeout: Seconds to wait at most.

        Raises:
            ServiceError: It failed or was cancelled, the time is up, or the service is gone.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for now in self.watch(job):
            if progress is not None:
                progress(now)
            if now.state == "done":
                return now
            if now.ended:
                raise ServiceError(now.error or f"{now.name} was {now.state}", status=409)
            if deadline is not None and time.monotonic() > deadline:
                break
        raise ServiceError(f"job {_id(job)} has not ended", status=0, hint="wait longer")

    def watch(self, job: RemoteJob | str) -> Iterator[RemoteJob]:
        """Yield a job at each change until it ends."""
        with self._asked("GET", f"/api/jobs/{_id(job)}/events", stream=True) as response:
            for line in response.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    yield _job(cast(_Json, json.loads(line[6:])))

    def download(self, job: RemoteJob, target: str | Path) -> Path:
        """Save the result of a job that is done.

        Args:
            job: From `wait` or `job`.
            target: A folder, made when missing: the result keeps the service's name for it. Or a file, where the
                name has the result's extension.

        Returns:
            The file; it appears whole or not at all.

        Raises:
            ServiceError: There is no result.
            OutputError: It can't be written.
        """
        name = Path(job.result_name or "result").name
        path = Path(target)
        if path.suffix.casefold() != Path(name).suffix.casefold():
            make_folder(path)
            path = path / name
        with (
            self._asked("GET", f"/api/jobs/{job.id}/result", stream=True) as response,
            atomic_write(path) as temporary,
            temporary.open("wb") as file,
        ):
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
        return path

    def cancel(self, job: RemoteJob | str) -> RemoteJob:
        """End a job that waits or runs."""
        return _job(self._json("POST", f"/api/jobs/{_id(job)}/cancel"))

    def delete(self, job: RemoteJob | str) -> None:
        """Delete a job with its photo and result."""
        self._asked("DELETE", f"/api/jobs/{_id(job)}").close()

    def _bring(
        self, path: str, photos: Sequence[str | Path], fields: Sequence[tuple[str, str]]
    ) -> list[RemoteJob]:
        files = [Path(one) for one in photos]
        for file in files:
            if not file.is_file():
                raise InputError(f"{shown(file)} is no file")
        boundary = secrets.token_hex(16)
        answer = self._asked(
            "POST",
            path,
            data=_form(boundary, fields, files),
            headers={"content-type": f"multipart/form-data; boundary={boundary}"},
        )
        return [_job(one) for one in answer.json()["jobs"]]

    def _json(self, method: str, path: str, query: Mapping[str, str] | None = None) -> _Json:
        return cast(_Json, self._asked(method, path, query=query).json())

    def _asked(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        data: Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        try:
            response = requests.request(
                method,
                self._url + path,
                params=query,
                data=data,
                headers={**self._headers, **(headers or {})},
                stream=stream,
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ServiceError(
                f"the service at {self._url} can't be reached: {type(error).__name__}",
                status=0,
                hint="is it running there? wildsr serve",
            ) from error
        if response.status_code < 300:
            return response
        with response:
            raise _refusal(response)


def _refusal(response: requests.Response) -> ServiceError:
    try:
        told = response.json()["error"]
        return ServiceError(
            str(told["message"]),
            status=response.status_code,
            hint=None if told.get("hint") is None else str(told["hint"]),
        )
    except (ValueError, KeyError, TypeError):
        return ServiceError(f"it answered with status {response.status_code}", status=response.status_code)


def _form(boundary: str, fields: Sequence[tuple[str, str]], files: Sequence[Path]) -> Iterator[bytes]:
    """Yield a multipart form; files are read while they are sent."""
    for name, value in fields:
        yield _part(boundary, f'name="{name}"') + value.encode() + b"\r\n"
    for file in files:
        name = shown(file.name).replace("\\", "_").replace('"', "'")
        yield _part(boundary, f'name="file"; filename="{name}"')
        try:
            with file.open("rb") as opened:
                while chunk := opened.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise InputError(f"can't read {shown(file)}: {error.strerror or error}") from error
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _part(boundary: str, disposition: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


def _id(job: RemoteJob | str) -> str:
    return job if isinstance(job, str) else job.id


def _job(told: _Json) -> RemoteJob:
    progress, result, error = (cast(_Json | None, told[name]) for name in ("progress", "result", "error"))
    state = cast(State, told["state"])
    share = 1.0 if state == "done" else 0.0
    if progress is not None and progress["total"]:
        share = float(str(progress["done"])) / float(str(progress["total"]))
    kind = cast(Literal["upscale", "profile"], told["kind"])
    return RemoteJob(
        id=str(told["id"]),
        kind=kind,
        state=state,
        name=str(told["name"]),
        model="" if kind == "profile" else str(cast(_Json, told["options"])["model"]),
        share=share,
        result_name=None if result is None else str(result["name"]),
        error=None if error is None else str(error["message"]),
    )
