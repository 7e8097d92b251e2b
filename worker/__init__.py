"""The queue's door: hears bells, carries out attempts in child processes, and writes down how they went."""
