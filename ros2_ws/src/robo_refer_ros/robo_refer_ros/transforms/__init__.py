"""Where frames were in one another: tf2, or a listener of our own."""
