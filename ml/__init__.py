"""Networks, estimates and training. No SQL, no Celery, no Flask: this package also runs in a notebook.

`ml.networks` and `ml.kinds` are pure data and arithmetic and never import Keras, so the API may use them.
"""
