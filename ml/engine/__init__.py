"""The parts that training is made of. Here, and in `ml.recipes`, Keras and TensorFlow are at home."""
