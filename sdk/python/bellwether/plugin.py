"""What every plugin says of itself, and how its configuration reaches it.

A plugin is a class with a few attributes; its kind is the base class it derives from. The configuration arrives as an
object: the host has filled in the schema's defaults and refused what the schema refuses.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Union

from .errors import InvalidConfig
from .values import json_text


class Config(dict):
    """A configuration: its settings as attributes, or as a dict."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the configuration has no setting `{name}`: name it in `config_schema`") from None


def settings(**properties: dict) -> dict:
    """The schema of a configuration with these settings, each a JSON Schema with a `default` and a `description`."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


class Plugin:
    """What a plugin is. Derive from a kind: `DriftTest`, `DriftDetector`, `AlertHandler`, `DeploymentStrategy`,
    `ModelType` or `Estimator`."""

    #: The name it is called by; equals `name` in plugin.toml. Lower-case letters, digits and `-`.
    name: ClassVar[str] = ""
    #: Semantic version; equals `version` in plugin.toml.
    version: ClassVar[str] = ""
    #: One sentence for lists.
    summary: ClassVar[str] = ""
    #: JSON Schema (2020-12) of the configuration, as a dict or as text; `settings` writes one.
    config_schema: ClassVar[Union[dict, str]] = settings()

    def check(self, config: Config) -> None:
        """Refuses configurations that pass the schema and are still wrong, for example two settings that exclude each
        other. Called before every function that takes a configuration. Raises `InvalidConfig`."""


def schema_text(plugin: type) -> str:
    """The schema of a plugin's configuration as text."""
    schema = plugin.config_schema
    return schema if isinstance(schema, str) else json_text(schema)


def read_config(plugin: Plugin, text: str) -> Config:
    """Reads and checks a configuration."""
    try:
        members = json.loads(text)
    except ValueError as error:
        raise InvalidConfig(f"{plugin.name}: the configuration is no JSON: {error}") from None
    if not isinstance(members, dict):
        raise InvalidConfig(f"{plugin.name}: the configuration must be an object")
    config = Config(members)
    plugin.check(config)
    return config
