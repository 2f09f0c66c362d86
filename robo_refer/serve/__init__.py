"""`robo-refer serve`: any model behind HTTP, in three protocols. Needs the extra `serve`."""
