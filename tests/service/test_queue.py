"""The jobs table: whose turn it is, who may change what, and what a lost worker leaves."""

import threading
import time
from collections import Counter

import pytest
from sqlalchemy import update

from wildsr.files.processes import own_tag
from wildsr.service import leases as leases_module
from wildsr.service.jobs import Job, JobStore, NewJob, new_id
from wildsr.service.leases import MOST_ATTEMPTS, Lease, Leases, Made
from wildsr.service.options import JobOptions
from wildsr.service.tables import jobs

MADE = Made(result="1/result.png", result_bytes=7, facts={"width": 4, "notes": ["one"]})


def add(store: JobStore, count: int = 1, *, client: str = "a", owner: str = "me") -> list[Job]:
    new = [
        NewJob(kind="upscale", name=f"{client}{n}", options=JobOptions(model="m"), input_bytes=5, id=new_id())
        for n in range(count)
    ]
    return store.add(new, owner=owner, client=client)


def claimed(leases: Leases, worker: str = "w") -> Lease:
    lease = leases.claim(worker)
    assert lease is not None
    return lease


@pytest.fixture
def leases(store: JobStore) -> Leases:
    return Leases(store.database, seconds=30)


def test_a_job_lives_from_queue_to_result(store: JobStore, leases: Leases) -> None:
    (job,) = add(store)
    assert (job.state, job.attempt, job.options.model) == ("queued", 0, "m")
    lease = claimed(leases)
    assert (lease.job.id, lease.attempt) == (job.id, 1)
    assert leases.beat(lease, steps_done=2, steps=8)
    at_work = store.get(job.id, owner="me")
    assert at_work is not None
    assert (at_work.state, at_work.steps_done, at_work.steps, at_work.worker) == ("running", 2, 8, "w")
    assert leases.finish(lease, MADE)
    done = store.get(job.id, owner="me")
    assert done is not None
    assert (done.state, done.result, done.steps_done) == ("done", "1/result.png", 8)
    assert done.facts == {"width": 4, "notes": ["one"]}
    assert leases.claim("w") is None


def test_clients_take_turns(store: JobStore, leases: Leases) -> None:
    """One who brought ten photos first does not keep the one with two waiting."""
    add(store, 10, client="a")
    add(store, 2, client="b")
    order = []
    for _ in range(12):
        lease = claimed(leases)
        order.append(lease.job.client)
        leases.finish(lease, MADE)
    assert "".join(order) == "abab" + "a" * 8


def test_who_has_fewer_running_comes_first(store: JobStore, leases: Leases) -> None:
    add(store, 3, client="a")
    first, second = claimed(leases), claimed(leases)
    assert {first.job.client, second.job.client} == {"a"}
    add(store, 2, client="b")
    assert [claimed(leases).job.client for _ in range(2)] == ["b", "b"]
    assert claimed(leases).job.client == "a"


def test_jobs_of_a_client_come_in_order(store: JobStore, leases: Leases) -> None:
    names = [job.name for job in add(store, 5)]
    assert [claimed(leases).job.name for _ in range(5)] == names


def test_many_workers_never_share_a_job(store: JobStore, leases: Leases) -> None:
    ids = {job.id for job in add(store, 60)}
    taken: list[str] = []

    def work(number: int) -> None:
        while (lease := leases.claim(f"w{number}")) is not None:
            taken.append(lease.job.id)
            assert leases.finish(lease, MADE)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == Counter(ids)
    assert store.counts() == {"done": 60}


def test_who_lost_a_job_changes_nothing(store: JobStore, leases: Leases) -> None:
    """A worker that was thought dead comes back after another has the job."""
    (job,) = add(store)
    slow = claimed(leases, "slow")
    assert leases.release("slow") == 1
    fresh = claimed(leases, "fresh")
    assert fresh.attempt == 2
    assert not leases.beat(slow, steps_done=1, steps=2)
    assert not leases.finish(slow, MADE)
    assert not leases.fail(slow, "no", None)
    assert not leases.give_back(slow)
    found = store.get(job.id, owner="me")
    assert found is not None
    assert (found.state, found.worker) == ("running", "fresh")
    assert leases.finish(fresh, MADE)


def test_the_same_worker_again_is_another_attempt(store: JobStore, leases: Leases) -> None:
    add(store)
    first = claimed(leases)
    leases.release("w")
    second = claimed(leases)
    assert not leases.finish(first, MADE)
    assert leases.finish(second, MADE)


def test_an_expired_lease_is_taken_back(store: JobStore) -> None:
    leases = Leases(store.database, seconds=0.05)
    add(store, 2)
    kept, lost = claimed(leases, "other-1-0/0"), claimed(leases, "other-1-0/1")
    patient = Leases(store.database, seconds=60)
    assert patient.beat(kept, steps_done=0, steps=None)
    time.sleep(0.1)
    assert leases.release_lost() == 1
    assert store.counts() == {"queued": 1, "running": 1}
    assert claimed(leases).job.id == lost.job.id


def test_jobs_of_dead_processes_are_taken_back_at_once(store: JobStore, leases: Leases) -> None:
    host = own_tag().partition("-")[0]
    add(store, 3)
    claimed(leases, f"{own_tag()}/0")
    dead = claimed(leases, f"{host}-4194304-1/0")
    claimed(leases, "elsewhere-4194304-1/0")  # another machine's: nobody here can tell
    assert leases.release_lost() == 1
    found = store.get(dead.job.id, owner="me")
    assert found is not None
    assert found.state == "queued"


def test_a_job_that_kills_its_workers_is_failed_and_says_so(store: JobStore, leases: Leases) -> None:
    (job,) = add(store)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert claimed(leases).attempt == attempt
        leases.release("w")
    assert leases.claim("w") is None
    found = store.get(job.id, owner="me")
    assert found is not None
    assert found.state == "failed"
    assert "5 times" in (found.error or "")


def test_giving_back_does_not_count(store: JobStore, leases: Leases) -> None:
    add(store)
    for _ in range(2 * MOST_ATTEMPTS):
        lease = claimed(leases)
        assert lease.attempt == 1
        assert leases.give_back(lease)


def test_what_a_worker_was_ended_for_fails_that_job_alone(store: JobStore, leases: Leases) -> None:
    first, second = add(store, 2)
    claimed(leases)
    assert leases.fail_lost("w", second.id, "too long", "smaller") == 0
    assert leases.fail_lost("w", first.id, "too long", "smaller") == 1
    found = store.get(first.id, owner="me")
    assert found is not None
    assert (found.state, found.error, found.hint) == ("failed", "too long", "smaller")
    assert leases.release("w") == 0


def test_cancel_and_delete(store: JobStore, leases: Leases) -> None:
    waiting, running, done = add(store, 3)
    lease = claimed(leases)
    assert lease.job.id == waiting.id
    assert store.cancel(running.id, owner="me")
    assert store.cancel(waiting.id, owner="me")
    assert not leases.beat(lease, steps_done=1, steps=2)
    assert not store.cancel(waiting.id, owner="me")
    assert store.delete(waiting.id, owner="me")
    assert not store.delete(waiting.id, owner="me")
    assert claimed(leases).job.id == done.id


def test_owners_see_their_own_alone(store: JobStore) -> None:
    (mine,) = add(store, owner="me")
    (yours,) = add(store, owner="you")
    assert store.get(yours.id, owner="me") is None
    assert not store.cancel(yours.id, owner="me")
    assert not store.delete(yours.id, owner="me")
    assert [job.id for job in store.page(owner="me", limit=9)] == [mine.id]


def test_pages_of_the_list(store: JobStore) -> None:
    ids = [job.id for job in add(store, 5)]
    first = store.page(owner="me", limit=2)
    second = store.page(owner="me", limit=9, before=first[-1].seq)
    assert [job.id for job in (*first, *second)] == ids[::-1]
    assert store.page(owner="me", limit=9, state="done") == []


def test_old_jobs_are_forgotten_but_no_waiting_ones(store: JobStore, leases: Leases) -> None:
    old, _ = add(store, 2)
    leases.finish(claimed(leases), MADE)
    with store.database.write() as connection:
        connection.execute(update(jobs).values(created=1.0))
    assert store.delete_finished_before(time.time() - 60) == []
    assert store.delete_finished_before(time.time() + 60) == [old.id]
    assert store.counts() == {"queued": 1}


def test_load_counts_what_is_kept(store: JobStore, leases: Leases) -> None:
    add(store, 2, client="a")
    add(store, 1, client="b")
    leases.finish(claimed(leases), MADE)
    load = store.load(client="a")
    assert (load.active, load.of_client, load.client_bytes) == (2, 1, 5 + 7 + 5)


def test_all_jobs_of_an_upload_or_none(store: JobStore) -> None:
    (job,) = add(store)
    twice = NewJob(kind="upscale", name="x", options=JobOptions(model="m"), input_bytes=1, id=job.id)
    other = NewJob(kind="upscale", name="x", options=JobOptions(model="m"), input_bytes=1, id=new_id())
    with pytest.raises(Exception, match="UNIQUE"):
        store.add([other, twice], owner="me", client="a")
    assert store.counts() == {"queued": 1}


def test_a_claim_that_others_win_every_time_ends(
    store: JobStore, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = add(store)
    store.cancel(job.id, owner="me")
    monkeypatch.setattr(leases_module, "_next", lambda _connection: job.id)
    assert leases.claim("w") is None


def test_changes_since(store: JobStore, leases: Leases) -> None:
    first, second = add(store, 2)
    moment = time.time()
    time.sleep(0.01)
    claimed(leases)
    assert [job.id for job in store.changed_since(moment)] == [first.id]
    assert [job.id for job in store.changed_since(first.created)] == [second.id, first.id]
