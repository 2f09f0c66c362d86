"""Files of images, depth and cameras, and bytes that came over a wire -> arrays and `Frame`."""
