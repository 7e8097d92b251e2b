"""What a spec means before anything runs, one module a job kind: pure, so that the API answers in milliseconds.

Each is named in `ml.kinds`.
"""
