"""Predicting with trained models: build one again from what its job kept, and hold some ready for questions.

Only `classifier`, `segmenter` and `splits` load Keras.
"""
