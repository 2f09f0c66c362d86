"""Starts the node: `python -m robo_refer_ros`, or `ros2 run robo_refer_ros refer_node`."""


def main() -> None:
    """Run the node until it is interrupted.

    The import is here, because worker processes import this module again and need no ROS.
    """
    from robo_refer_ros.running import run

    run()


if __name__ == "__main__":
    main()
