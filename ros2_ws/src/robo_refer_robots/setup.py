"""The ament_python package of the robot adapters; they run on the Python package robo-refer."""

from setuptools import find_packages, setup

NAME = "robo_refer_robots"

setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="RoboRefer maintainers",
    maintainer_email="maintainers@robo-refer.org",
    description="Adapters that move robots to points that RoboRefer has found",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "ur5 = robo_refer_robots.ur5.node:main",
            "g1 = robo_refer_robots.g1.node:main",
            "reach = robo_refer_robots.commands.reach:command",
        ],
    },
)
