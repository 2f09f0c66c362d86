"""The camera: its topics, what is of one moment, and how images are read."""
