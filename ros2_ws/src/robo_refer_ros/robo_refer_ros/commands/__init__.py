"""What people start: the node, a demo, a question, a measurement."""
