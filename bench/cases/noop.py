"""What does the yard itself cost a job that does nothing?

`noop` jobs of no steps on a whole yard with one device, so they run one after the other. First one at a time: from
the job's row (written before the 202 leaves) to its last state, each sent when the one before has ended. Then many
sent at once: jobs a second, from the first row to the last end. In each job: a scheduler's pass, a message, a claim,
a fresh child process from the preloaded one, its events, a kept artifact, the end, another pass.
A user would pick Ray Jobs (1.5 s to start `true`), or a bare Celery task without child, lease or record (2.6 ms).
"""

from __future__ import annotations

from bench.databases import KINDS, run_database
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import figure, percentile
from bench.yard import Yard, run_yard

NOOP = {"kind": "noop", "steps": 0}
ROUNDS = 3


def measure(setting: Setting) -> Measured:
    """Seconds for one job, and jobs a second, on each database."""
    measured = Measured()
    for kind in KINDS:
        try:
            with (
                run_database(kind, setting.folder / kind) as url,
                run_yard(setting.folder / f"{kind} yard", database_url=url, test_kinds=True) as yard,
            ):
                _measure_yard(kind, yard, setting, measured)
        except CannotMeasure as error:
            measured.notes.append(str(error))
    return measured


def _measure_yard(kind: str, yard: Yard, setting: Setting, measured: Measured) -> None:
    for _ in range(3):
        yard.run(NOOP)
    alone = [yard.to_finish_s(yard.run(NOOP)) for _ in range(setting.count(60, 10))]
    rates = [_rate(yard, setting.count(60, 15)) for _ in range(ROUNDS)]
    measured.figures += [
        figure(f"{kind}, one at a time, 202 to finished", "s", alone),
        figure(f"{kind}, the same, 95th percentile", "s", [percentile(alone, 95)]),
        figure(f"{kind}, many at once", "jobs/s", rates),
    ]


def _rate(yard: Yard, jobs: int) -> float:
    """Jobs a second when so many are sent at once."""
    job_ids = [yard.submit(NOOP) for _ in range(jobs)]
    yard.wait(job_ids, within_s=300)
    ends = [finished for job_id in job_ids if (finished := yard.job(job_id).finished_at)]
    return jobs / (max(ends) - yard.job(job_ids[0]).created_at).total_seconds()
