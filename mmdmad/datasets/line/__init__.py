"""The simulated inspection line: pictures, clips, sensors and log of one belt, with planted faults."""
