"""The ament_python package of the node; what it runs is the Python package robo-refer."""

from setuptools import find_packages, setup

NAME = "robo_refer_ros"

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
    description="The lifecycle node of RoboRefer and its Python client",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "refer_node = robo_refer_ros.__main__:main",
            "scene_publisher = robo_refer_ros.commands.scene_publisher:main",
            "ask = robo_refer_ros.commands.ask:command",
        ],
    },
)
