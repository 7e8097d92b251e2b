"""What the HTTP door reads, on both databases."""

from records import reading
from records.jobs import add_event


def test_the_last_events_are_the_newest_in_their_order(database, submit_noop, clock):
    job_id = submit_noop()
    with database.write() as session:
        for number in range(5):
            add_event(session, job_id, "checkpoint", actor="yard", at=clock(), text=str(number))
    with database.read() as session:
        assert [event.text for event in reading.read_last_events(session, job_id, limit=3)] == ["2", "3", "4"]


def test_jobs_are_counted_for_one_person_or_for_all(database, submit_noop, member, admin):
    submit_noop()
    submit_noop(owner=admin)
    with database.read() as session:
        assert reading.count_jobs(session)["queued"] == 2
        assert reading.count_jobs(session, owner_id=member.person.id)["queued"] == 1
