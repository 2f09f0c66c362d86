"""`robo-refer ui`: a page to try a model on. Needs the extra `ui`."""
