"""ROS 2 nodes of RoboRefer: an instruction and an RGB-D camera in, a 3D point in any frame out."""
