"""The model: a process of its own that answers, and who looks after it."""
