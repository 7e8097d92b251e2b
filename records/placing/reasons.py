"""Why a job waits: one stable code and one sentence each. `docs/sharing.md` lists the codes.

A sentence names another job only where it is the same person's: the numbers of others' jobs are theirs. What moves
with every pass (places, how many go first) is in no sentence, so that a queue that only moves up costs no writes;
times are rounded, the coarser the further off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from records.placing.plan import Reason
from records.placing.room import Need
from records.placing.sizes import is_whole
from records.placing.snapshot import Device, Lease, Snapshot, WaitingJob

NO_WORKER = Reason("no_worker", "No worker is online. The job starts when one is.")
WAITING_FOR_TURN = Reason("waiting_for_turn", "Others go first: they came earlier, or their owners have used less.")
HELD_FOR_LARGER = Reason(
    "held_for_larger",
    "There is room now, but it is held for a job that goes first and needs more, and this one might not end in time.",
)
MAKING_ROOM = Reason("making_room", "Running jobs of lower priority were asked to stop and make room for it.")
_GRID = ((15 * 60, 60), (2 * 3600, 300), (24 * 3600, 1800))
"""Up to so far off (seconds), times are rounded up to so many seconds; beyond, to an hour."""


class Why(NamedTuple):
    """What stands in a blocked job's way."""

    device: Device | None = None
    """Where it is planned."""
    need: Need | None = None
    start_s: float = 0.0
    free_now: bool = False
    """Whether somewhere enough is free at this moment, and only held for others."""
    fits_nowhere: bool = False


def retry_later(not_before: datetime) -> Reason:
    """The last attempt failed a moment ago."""
    return Reason("retry_later", f"Tried again at {not_before:%H:%M:%S} UTC.")


def quota_running(most: int) -> Reason:
    """Enough jobs of this person run."""
    jobs = "1 job" if most == 1 else f"{most} jobs"
    return Reason("quota_running", f"This yard runs {jobs} of one person at a time. It starts when one of yours ends.")


def give_reasons(snapshot: Snapshot, blocked: Sequence[WaitingJob], why: dict[int, Why]) -> dict[int, Reason]:
    """The reason of every job that waits for room."""
    if not snapshot.devices:
        return {job.id: NO_WORKER for job in blocked}
    reasons = dict.fromkeys([job.id for job in blocked], WAITING_FOR_TURN)
    for job in blocked:
        if job.id in why:
            reasons[job.id] = _reason(snapshot, job, why[job.id])
    return reasons


def round_up(at: datetime, *, seen_from: datetime) -> datetime:
    """A moment in the future, rounded up to a grid that is the coarser the further it is off."""
    off_s = (at - seen_from).total_seconds()
    grid = next((step for limit, step in _GRID if off_s <= limit), 3600)
    return datetime.fromtimestamp(-(-at.timestamp() // grid) * grid, tz=at.tzinfo)


def clock_time(at: datetime, *, seen_from: datetime) -> str:
    """`at 14:20 UTC`, with the day where it is another."""
    day = "" if at.date() == seen_from.date() else f"{at:%a %d %b} "
    return f"at {day}{at:%H:%M} UTC"


def size_words(count: int) -> str:
    """`850 MB`, `5.2 GB`."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _reason(snapshot: Snapshot, job: WaitingJob, why: Why) -> Reason:
    if why.fits_nowhere:
        return _fits_nowhere(snapshot, job)
    if why.free_now:
        return HELD_FOR_LARGER
    lease = _that_ends(why)
    if lease is None or why.device is None or why.need is None:
        return WAITING_FOR_TURN
    if lease.stopping:
        return MAKING_ROOM
    return _waits_for(snapshot, job, why.device, why.need, lease)


def _that_ends(why: Why) -> Lease | None:
    """The lease whose end gives the job its room; None where it waits for a job that waits itself."""
    leases = why.device.leases if why.device else ()
    return next((lease for lease in leases if max(1.0, lease.left.likely) == why.start_s), None)


def _waits_for(snapshot: Snapshot, job: WaitingJob, device: Device, need: Need, lease: Lease) -> Reason:
    ends = round_up(snapshot.at + timedelta(seconds=lease.left.likely), seen_from=snapshot.at)
    who = f"job {lease.job_id}" if lease.owner_id == job.owner_id else "a running job"
    code, what = _wanted(snapshot, job, device, need)
    when = clock_time(ends, seen_from=snapshot.at)
    return Reason(code, f"Waits for {what}; {who} is expected to free {device.name} {when}.")


def _wanted(snapshot: Snapshot, job: WaitingJob, device: Device, need: Need) -> tuple[str, str]:
    kind = _kind_words(snapshot, device)
    if is_whole(job.demand, device):
        return "waiting_for_device", f"a whole {kind}"
    free = lendable_now(device)
    if need.memory_bytes <= free or device.kind == "gpu":
        if device.kind != "gpu" and need.threads > device.threads - sum(lease.threads for lease in device.leases):
            threads = "a processor thread" if need.threads == 1 else f"{need.threads} processor threads"
            return "waiting_for_threads", threads
        if need.memory_bytes <= free:
            return "waiting_for_device", f"a place on any {kind}"
    return "waiting_for_memory", f"{size_words(need.memory_bytes)} on any {kind}"


def lendable_now(device: Device) -> int:
    """Memory of the device that nobody holds."""
    return max(0, device.memory_bytes - device.taken_bytes - sum(lease.memory_bytes for lease in device.leases))


def _kind_words(snapshot: Snapshot, device: Device) -> str:
    gpus = any(other.kind == "gpu" for other in snapshot.devices)
    cpus = any(other.kind != "gpu" for other in snapshot.devices)
    if gpus and cpus:
        return "device"
    return "GPU" if device.kind == "gpu" else "CPU"


def _fits_nowhere(snapshot: Snapshot, job: WaitingJob) -> Reason:
    largest_first = sorted(snapshot.devices, key=lambda d: (d.kind != "gpu", -d.memory_bytes, d.id))
    device = next((device for device in largest_first if _would_fit(job, device)), None)
    if device is not None:
        held = size_words(device.taken_bytes)
        return Reason(
            "outsiders", f"Programs outside the yard hold {held} of {device.name}; too little is left for it."
        )
    largest = largest_first[0]
    asked = job.demand.gpu_bytes if largest.kind == "gpu" else job.demand.cpu_bytes
    needs = size_words(asked or 0)
    return Reason(
        "fits_nowhere",
        f"Needs {needs}, and the largest device has {size_words(largest.memory_bytes)} ({largest.name}). "
        "Choose a smaller batch or network, or add a larger device.",
    )


def _would_fit(job: WaitingJob, device: Device) -> bool:
    asked = job.demand.gpu_bytes if device.kind == "gpu" else job.demand.cpu_bytes
    return asked is None or asked <= device.memory_bytes
