"""One recipe a job kind: a function (spec, order, reporter) -> summary, named in `ml.kinds` and run in a child."""
