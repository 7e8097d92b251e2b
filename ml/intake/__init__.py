"""Taking in people's own images: unpack an upload, check it, write every image anew, report. Never TensorFlow.

`python -m ml.intake` takes one set in. Nothing that came from outside is decoded in that process: `ml.intake.decoders`
is the door to small processes with hard limits that do so, and serves single images too.
"""
