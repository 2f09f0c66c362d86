#!/bin/bash
# Builds the workspace with the ROS 2 wheels of .venv-ros. With a full installation of ROS 2, source
# that instead and run: colcon build --base-paths src
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
venv="$(cd ../.venv-ros && pwd)"
python="$venv/bin/python"
unset PYTHONPATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
export PATH="$venv/bin:/usr/bin:/bin" AMENT_PREFIX_PATH="$venv" CMAKE_PREFIX_PATH="$venv"
# Interfaces that a full installation has: only built where they are missing.
paths=(src)
for fallback in fallback/*; do
  [ -d "$venv/share/$(basename "$fallback")" ] || paths+=("$fallback")
done
log="log/make_ros.txt"
mkdir -p log
colcon build --symlink-install --base-paths "${paths[@]}" --cmake-args -GNinja \
  -DPython3_EXECUTABLE="$python" -DPYTHON_EXECUTABLE="$python" >"$log" 2>&1 ||
  { tail -n 40 "$log"; echo "The workspace does not build; all of it is in ros2_ws/$log."; exit 1; }
