"""From a referred 3D point to motion: safety checks, grasp poses, inverse kinematics, paths.

Nothing here talks to a robot: poses and joint paths go out, and what sends them (ROS adapters, a
simulator) is elsewhere. Needs the extra `robots` where joints are concerned.
"""
