"""What `robo-refer ros` and launch files start."""
