"""UR5 and UR5e through the UR driver."""
