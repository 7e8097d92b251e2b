"""Style transfer by optimising an image (Gatys, Ecker, Bethge 2016): its losses, its colours, its steps. TensorFlow.

`ml.recipes.style_transfer` tells the story; here are its parts.
"""
