"""Files in formats that other programs read, each proved against the model that it was made from."""
