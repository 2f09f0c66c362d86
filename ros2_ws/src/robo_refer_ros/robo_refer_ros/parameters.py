"""The node's parameters on the graph: declared with descriptions, refused when they are bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from robo_refer.errors import RoboReferError
from robo_refer_ros.settings import Settings, parameters, settings_from


class NodeParameters:
    """Declares all parameters of a dataclass of settings on a node.

    Args:
        node: that has them.
        is_fixed: tells whether only live parameters may be set now.
        on_change: called with new settings when live parameters were set.
        kind: the dataclass.
    """

    def __init__(
        self,
        node: Node,
        is_fixed: Callable[[], bool],
        on_change: Callable[[Any], None],
        kind: type = Settings,
    ) -> None:
        self._node, self._is_fixed, self._on_change = node, is_fixed, on_change
        self._kind = kind
        self._described = {each.name: each for each in parameters(kind)}
        for each in self._described.values():
            default = list(each.default) if isinstance(each.default, tuple) else each.default
            words = f"one of: {', '.join(each.choices)}" if each.choices else ""
            descriptor = ParameterDescriptor(description=each.doc, additional_constraints=words)
            node.declare_parameter(each.name, default, descriptor)
        node.add_on_set_parameters_callback(self._on_set)

    def settings(self) -> Any:
        """Return the settings that the parameters make now.

        Raises:
            RoboReferError: BAD_REQUEST, naming the parameter.
        """
        return settings_from(self._values(), self._kind)

    def _values(self) -> dict[str, object]:
        return {name: self._node.get_parameter(name).value for name in self._described}

    def _on_set(self, changes: list[Parameter]) -> SetParametersResult:
        ours = {each.name: each.value for each in changes if each.name in self._described}
        if not self._is_fixed():
            # Several may only fit together when all are set: they are judged when it is configured.
            return SetParametersResult(successful=True)
        fixed = [name for name in ours if not self._described[name].live]
        if fixed:
            reason = f"{', '.join(fixed)} can only be set while the node is unconfigured."
            return SetParametersResult(successful=False, reason=reason)
        try:
            settings = settings_from(self._values() | ours, self._kind)
        except RoboReferError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._on_change(settings)
        return SetParametersResult(successful=True)
