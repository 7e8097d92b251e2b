"""Events, log lines and metric points of a job."""

from __future__ import annotations


def test_events_come_in_order_and_in_pages(ada, ran):
    everything = ada.get(f"jobs/{ran}/events").json
    assert everything["next"] is None
    kinds = [event["kind"] for event in everything["items"]]
    assert kinds[:3] == ["submitted", "placed", "moved"]
    assert kinds[-1] == "moved"
    assert everything["items"][-1]["to_status"] == "succeeded"
    seen, after = [], "0"
    while after is not None:
        page = ada.get(f"jobs/{ran}/events?after={after}&limit=2").json
        seen += page["items"]
        after = page["next"]
    assert seen == everything["items"]


def test_log_lines_come_as_json_or_as_plain_text(ada, ran):
    page = ada.get(f"jobs/{ran}/logs?limit=1").json
    assert [line["text"] for line in page["items"]] == ["first line"]
    assert page["items"][0]["attempt"] == 2
    rest = ada.get(f"jobs/{ran}/logs?after={page['next']}").json
    assert ([line["text"] for line in rest["items"]], rest["next"]) == (["second line"], None)
    plain = ada.get(f"jobs/{ran}/logs", Accept="text/plain")
    assert plain.content_type.startswith("text/plain")
    assert [line.split(" ", 2)[2] for line in plain.text.splitlines()] == ["first line", "second line"]
    assert "X-Next-After" not in plain.headers
    first = ada.get(f"jobs/{ran}/logs?limit=1", Accept="text/plain")
    assert first.headers["X-Next-After"] == page["next"]


def test_metric_points_come_by_name_and_step_in_pages(ada, ran):
    everything = ada.get(f"jobs/{ran}/metrics").json["items"]
    assert [(p["name"], p["step"]) for p in everything] == [
        *(("loss", step) for step in range(1, 101)),
        ("val/accuracy", 50),
        ("val/accuracy", 100),
    ]
    assert everything[-1]["value"] is None, "what was not a finite number is null"
    seen, cursor = [], ""
    while cursor is not None:
        page = ada.get(f"jobs/{ran}/metrics?limit=30{cursor and '&cursor=' + cursor}").json
        seen += page["items"]
        cursor = page["next"]
    assert seen == everything


def test_metric_points_are_chosen_by_name_and_step(ada, ran):
    def steps(query):
        return [(p["name"], p["step"]) for p in ada.get(f"jobs/{ran}/metrics?{query}").json["items"]]

    assert steps("name=val/accuracy") == [("val/accuracy", 50), ("val/accuracy", 100)]
    assert steps("after=99") == [("loss", 100), ("val/accuracy", 100)]
    assert steps("after=99&name=loss&name=nothing") == [("loss", 100)]


def test_thinned_points_keep_the_peaks(ada, hand, submit_noop):
    job_id = submit_noop()
    claim = hand.take_up()
    hand.write_points(claim, "loss", {step: 9.0 if step == 777 else 1.0 for step in range(1, 2001)})
    hand.write_points(claim, "rate", {1: 0.1})
    page = ada.get(f"jobs/{job_id}/metrics?max_points=20").json
    loss = [p for p in page["items"] if p["name"] == "loss"]
    assert page["next"] is None
    assert len(loss) <= 20
    assert (777, 9.0) in [(p["step"], p["value"]) for p in loss]
    assert [p["step"] for p in loss] == sorted(p["step"] for p in loss)
    assert [p["step"] for p in page["items"] if p["name"] == "rate"] == [1]


def test_a_cursor_and_thinning_do_not_go_together(ada, ran):
    cursor = ada.get(f"jobs/{ran}/metrics?limit=1").json["next"]
    assert ada.get(f"jobs/{ran}/metrics?max_points=5&cursor={cursor}").status_code == 400
