"""Takes jobs in: checks what was asked for against what is offered and what is left, and puts them into the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from wildsr.errors import did_you_mean
from wildsr.files import counted
from wildsr.files.database import Database
from wildsr.models import own_sharpness
from wildsr.service.jobs import Job, JobStore, NewJob, new_id
from wildsr.service.options import NO_PROFILE_PHOTOS, JobOptions
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage, display_name
from wildsr.service.uploads import Upload
from wildsr.service.waking import Waker
from wildsr.service.web import Refused

_OPTIONS = tuple(name for name in JobOptions.model_fields if name != "model")
_MOST_MODELS = 8


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Who asks."""

    owner: str
    """Whose jobs they are."""

    client: str
    """Whose turn they take."""


class Desk:
    """Where jobs come in.

    Args:
        settings: What is offered and allowed.
        store: The jobs table.
        storage: Folders.
        waker: Wakes workers.
    """

    def __init__(self, settings: ServiceSettings, store: JobStore, storage: Storage, waker: Waker) -> None:
        self._settings, self._store, self._storage, self._waker = settings, store, storage, waker

    @property
    def database(self) -> Database:
        """Where jobs are kept."""
        return self._store.database

    def check_room(self, who: Customer, *, more: int = 1, more_bytes: int = 0) -> None:
        """Refuse what there is no room for.

        Raises:
            Refused: 429 the queue is full, 507 the disk or the client's share of it is.
        """
        quotas = self._settings.quotas
        load = self._store.load(client=who.client)
        later = {"retry-after": "30"}
        if load.active + more > quotas.max_queue:
            raise Refused(
                429,
                f"{counted(load.active, 'job', 'is', 'are')} waiting; at most {quotas.max_queue} may",
                headers=later,
            )
        most = max(1, quotas.max_queue // 2)
        if load.of_client + more > most:
            raise Refused(
                429,
                f"{counted(load.of_client, 'job')} of yours {'is' if load.of_client == 1 else 'are'} waiting; at "
                f"most {most} may",
                headers=later,
            )
        if load.client_bytes + more_bytes > quotas.max_client_gb * 1e9:
            raise Refused(
                507,
                f"your photos and results take {load.client_bytes / 1e9:.1f} GB; at most "
                f"{quotas.max_client_gb:g} GB are kept",
                hint="delete finished jobs",
            )
        if self._storage.free_bytes() < quotas.reserve_gb * 1e9:
            raise Refused(507, "the disk of this service is full", hint="delete finished jobs")

    def upscale(self, upload: Upload, staging: str, who: Customer) -> list[Job]:
        """Make a job of every photo and model; a single one keeps the folder it was uploaded into.

        Raises:
            Refused: 422 options that can't be, and those of `check_room`.
        """
        models, given = self._choices(upload.fields)
        photos = self._photos(upload, staging)
        base = _options(given)
        self._check_sharpness(base, models)
        count = len(photos) * len(models)
        self.check_room(who, more=count, more_bytes=sum(upload.sizes))
        new: list[NewJob] = []
        for number, model in enumerate(models):  # model by model, so that workers load each once
            for photo, name, size in zip(photos, upload.names, upload.sizes, strict=True):
                job_id = new_id() if count > 1 else staging
                if count > 1:
                    self._storage.give_photo(photo, job_id)
                new.append(
                    NewJob(
                        kind="upscale",
                        name=name,
                        options=base.model_copy(update={"model": model}),
                        input_bytes=0 if number else size,
                        id=job_id,
                    )
                )
        return self._add(new, who)

    def profile(self, upload: Upload, job_id: str, who: Customer) -> Job:
        """Make one job of all photos; they stay in the folder they were uploaded into.

        Raises:
            Refused: 422 what can't be, and those of `check_room`.
        """
        fields = dict(upload.fields)
        name = display_name(fields.pop("name", "camera"))
        _refuse_unknown(list(fields), ["name", "file"])
        if len(self._photos(upload, job_id)) > NO_PROFILE_PHOTOS:
            raise Refused(422, f"{len(upload.names)} photos; a profile takes at most {NO_PROFILE_PHOTOS}")
        self.check_room(who, more_bytes=sum(upload.sizes))
        new = NewJob(
            kind="profile", name=name, options=JobOptions(), input_bytes=sum(upload.sizes), id=job_id
        )
        return self._add([new], who)[0]

    def _add(self, new: Sequence[NewJob], who: Customer) -> list[Job]:
        try:
            added = self._store.add(new, owner=who.owner, client=who.client)
        except BaseException:
            for one in new:
                self._storage.remove(one.id)
            raise
        for _ in range(min(len(added), self._settings.workers)):
            self._waker.wake()
        return added

    def _check_sharpness(self, options: JobOptions, models: Sequence[str]) -> None:
        if options.sharpness is None:
            return
        files = self._settings.model_files
        with_dial = [one for one, file in files.items() if own_sharpness(file) is not None]
        for model in models:
            if model not in with_dial:
                raise Refused(
                    422,
                    f"the model {model} has no two ends to set a sharpness between",
                    hint=f"leave out sharpness, or choose {' or '.join(with_dial)}"
                    if with_dial
                    else "leave out sharpness",
                )

    def _photos(self, upload: Upload, staging: str) -> list[Path]:
        if not upload.names:
            raise Refused(422, "no photo was sent", hint="curl -F file=@photo.jpg …")
        return self._storage.photos(staging)

    def _choices(self, fields: Sequence[tuple[str, str]]) -> tuple[list[str], dict[str, str]]:
        """Return the models that were chosen, and the other options."""
        offered = list(self._settings.model_files)
        models = [value for name, value in fields if name == "model" and value] or offered[:1]
        for model in models:
            if model not in offered:
                raise Refused(422, f"there is no model {model[:100]!r}", hint=did_you_mean(model, offered))
        if len(models) > _MOST_MODELS:
            raise Refused(422, f"{len(models)} models; at most {_MOST_MODELS} are compared")
        others = {name: value for name, value in fields if name != "model" and value}
        _refuse_unknown(list(others), ["file", "model", *_OPTIONS])
        return list(dict.fromkeys(models)), others


def _options(given: dict[str, str]) -> JobOptions:
    try:
        return JobOptions.model_validate_strings(given)
    except ValidationError as error:
        told = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors()[:5])
        raise Refused(422, told) from error


def _refuse_unknown(given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise Refused(422, f"there is no option {name[:100]!r}", hint=did_you_mean(name, known))
