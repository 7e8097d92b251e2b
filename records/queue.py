"""The broker: bells that carry an id at most. A lost, late or double bell does no harm; ringing never raises."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from redis import Redis
from redis.exceptions import RedisError

from records.schedule import Bell
from records.settings import Settings

log = logging.getLogger("trainyard.queue")

SCHEDULE_QUEUE = "trainyard.schedule"
SCHEDULE_TASK = "trainyard.schedule"
ATTEMPT_TASK = "trainyard.attempt"
INTAKE_QUEUE = "trainyard.intake"
INTAKE_TASK = "trainyard.intake"
PREDICT_QUEUE = "trainyard.predict"
PREDICT_TASK = "trainyard.predict"
_PUBLISH_TIMEOUT_S = 2
_WORKER_TIMEOUT_S = 30


def make_celery(settings: Settings, *, worker: bool = False) -> Celery:
    """The Celery application. Publishers give up quickly; workers wait for a broker that comes back."""
    app = Celery("trainyard", broker=settings.redis_address, set_as_current=False)
    timeout = _WORKER_TIMEOUT_S if worker else _PUBLISH_TIMEOUT_S
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_proc_alive_timeout=60,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        task_create_missing_queues=True,
        task_publish_retry=False,
        broker_transport_options={
            "visibility_timeout": 7 * 24 * 3600,
            "socket_timeout": timeout,
            "socket_connect_timeout": _PUBLISH_TIMEOUT_S,
            "health_check_interval": 25,
            # A publisher that cannot connect says so at once; kombu would try again for six seconds.
            **({} if worker else {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}),
        },
    )
    return app


def ring_schedule(app: Celery) -> bool:
    """Ask for a pass of the scheduler. False when the broker could not be reached: the sweep will ask again."""
    return _ring(app, SCHEDULE_TASK, (), SCHEDULE_QUEUE)


def ring_attempts(app: Celery, bells: list[Bell]) -> bool:
    """Tell workers of their attempts."""
    return all([_ring(app, ATTEMPT_TASK, (bell.attempt_id,), bell.queue) for bell in bells])


def ring_intake(app: Celery) -> bool:
    """Tell some worker that a dataset waits to be checked."""
    return _ring(app, INTAKE_TASK, (), INTAKE_QUEUE)


def ring_predictions(app: Celery) -> bool:
    """Tell some worker that a prediction waits. False when the broker could not be reached: the sweep tells again."""
    return _ring(app, PREDICT_TASK, (), PREDICT_QUEUE)


def broker_is_up(settings: Settings) -> bool:
    """Whether the broker answers a ping."""
    try:
        client: Any = Redis.from_url(
            settings.redis_address, socket_timeout=_PUBLISH_TIMEOUT_S, socket_connect_timeout=_PUBLISH_TIMEOUT_S
        )
        with client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False


def _ring(app: Celery, task: str, args: tuple[int, ...], queue: str) -> bool:
    try:
        app.send_task(task, args=args, queue=queue, retry=False, ignore_result=True)
    except Exception as error:  # kombu raises its own, redis's and the system's errors; none may fail a request
        log.warning("bell.lost task=%s error=%s", task, error)
        return False
    return True
