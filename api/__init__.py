"""The HTTP door: records jobs, shows what became of them, serves the pages. It never imports TensorFlow or `worker`.

`api.app.create_app` makes the application from settings; `gunicorn 'api.app:from_environment()'` serves it.
"""
