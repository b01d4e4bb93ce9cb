"""A validator for the part of JSON Schema (2019-09) that the OpenRPC document of execution-apis uses.

A keyword that is not known here is an error, not a pass: a schema that is only half read proves
nothing.
"""

import re

ANNOTATIONS = {"title", "description", "$comment", "examples", "example", "default", "deprecated", "readOnly",
               "writeOnly", "format", "$schema", "$id", "$defs", "definitions"}


class SchemaError(Exception):
    """The schema itself cannot be used."""


def is_type(value, name):
    if name == "null":
        return value is None
    if name == "boolean":
        return isinstance(value, bool)
    if name == "string":
        return isinstance(value, str)
    if name == "array":
        return isinstance(value, list)
    if name == "object":
        return isinstance(value, dict)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "number":
        return number
    if name == "integer":
        return number and float(value).is_integer()
    raise SchemaError(f"unknown type {name!r}")


def same(a, b):
    """Equality of JSON values: true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (int, float)) != isinstance(b, (int, float)):
        return False
    return a == b


class Validator:
    """Validates values against schemas of one document, which `$ref` points into."""

    def __init__(self, document=None):
        self.document = document if document is not None else {}
        self.keywords = {
            "type": self._type, "enum": self._enum, "const": self._const, "pattern": self._pattern,
            "required": self._required, "properties": self._properties, "items": self._items,
            "patternProperties": self._pattern_properties,
            "additionalProperties": self._additional_properties,
            "oneOf": self._one_of, "anyOf": self._any_of, "allOf": self._all_of, "not": self._not,
            "$ref": self._ref, "minimum": self._minimum, "maximum": self._maximum,
            "minLength": self._min_length, "maxLength": self._max_length,
            "minItems": self._min_items, "maxItems": self._max_items,
        }

    def errors(self, value, schema, path="result"):
        """What is wrong, each with its place; empty: valid."""
        if schema is True:
            return []
        if schema is False:
            return [f"{path}: nothing is allowed here"]
        if not isinstance(schema, dict):
            raise SchemaError(f"{path}: schema is no object")
        found = []
        for keyword, argument in schema.items():
            if keyword in self.keywords:
                found += self.keywords[keyword](value, argument, schema, path)
            elif keyword not in ANNOTATIONS:
                raise SchemaError(f"{path}: keyword {keyword!r} is not supported")
        return found

    def _type(self, value, argument, _schema, path):
        names = argument if isinstance(argument, list) else [argument]
        if any(is_type(value, name) for name in names):
            return []
        return [f"{path}: {shown(value)} is not of type {' or '.join(names)}"]

    def _enum(self, value, argument, _schema, path):
        return [] if any(same(value, each) for each in argument) else [f"{path}: {shown(value)} is not one of {argument}"]

    def _const(self, value, argument, _schema, path):
        return [] if same(value, argument) else [f"{path}: {shown(value)} is not {argument!r}"]

    def _pattern(self, value, argument, _schema, path):
        # `$` of ECMA 262 is the end of the text, not the place before a last newline.
        if not isinstance(value, str) or re.search(argument.replace("$", r"\Z"), value):
            return []
        return [f"{path}: {shown(value)} does not match {argument}"]

    def _required(self, value, argument, _schema, path):
        if not isinstance(value, dict):
            return []
        return [f"{path}: member {name!r} is missing" for name in argument if name not in value]

    def _properties(self, value, argument, _schema, path):
        if not isinstance(value, dict):
            return []
        return [error for name, schema in argument.items() if name in value
                for error in self.errors(value[name], schema, f"{path}.{name}")]

    def _pattern_properties(self, value, argument, _schema, path):
        if not isinstance(value, dict):
            return []
        return [error for pattern, schema in argument.items() for name in value if re.search(pattern, name)
                for error in self.errors(value[name], schema, f"{path}.{name}")]

    def _additional_properties(self, value, argument, schema, path):
        if not isinstance(value, dict):
            return []
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        return [error for name in value
                if name not in known and not any(re.search(pattern, name) for pattern in patterns)
                for error in ([f"{path}: member {name!r} is not allowed"] if argument is False
                              else self.errors(value[name], argument, f"{path}.{name}"))]

    def _items(self, value, argument, _schema, path):
        if not isinstance(value, list):
            return []
        if isinstance(argument, list):  # one schema a place
            return [error for i, schema in enumerate(argument[:len(value)])
                    for error in self.errors(value[i], schema, f"{path}[{i}]")]
        return [error for i, item in enumerate(value) for error in self.errors(item, argument, f"{path}[{i}]")]

    def _one_of(self, value, argument, _schema, path):
        found = [self.errors(value, schema, path) for schema in argument]
        matching = sum(not errors for errors in found)
        if matching == 1:
            return []
        if matching > 1:
            return [f"{path}: {shown(value)} matches {matching} of oneOf"]
        return [f"{path}: {shown(value)} matches none of oneOf: " + "; ".join(errors[0] for errors in found)]

    def _any_of(self, value, argument, _schema, path):
        found = [self.errors(value, schema, path) for schema in argument]
        if any(not errors for errors in found):
            return []
        return [f"{path}: {shown(value)} matches none of anyOf: " + "; ".join(errors[0] for errors in found)]

    def _all_of(self, value, argument, _schema, path):
        return [error for schema in argument for error in self.errors(value, schema, path)]

    def _not(self, value, argument, _schema, path):
        return [] if self.errors(value, argument, path) else [f"{path}: {shown(value)} matches what it must not"]

    def _ref(self, value, argument, _schema, path):
        if not argument.startswith("#"):
            raise SchemaError(f"{path}: reference {argument!r} leaves the document")
        target = self.document
        for part in argument[1:].split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            try:
                target = target[int(part)] if isinstance(target, list) else target[part]
            except (KeyError, IndexError, ValueError) as error:
                raise SchemaError(f"{path}: reference {argument!r} leads nowhere") from error
        return self.errors(value, target, path)

    def _minimum(self, value, argument, _schema, path):
        return [f"{path}: {value} is below {argument}"] if is_type(value, "number") and value < argument else []

    def _maximum(self, value, argument, _schema, path):
        return [f"{path}: {value} is above {argument}"] if is_type(value, "number") and value > argument else []

    def _min_length(self, value, argument, _schema, path):
        return [f"{path}: shorter than {argument}"] if isinstance(value, str) and len(value) < argument else []

    def _max_length(self, value, argument, _schema, path):
        return [f"{path}: longer than {argument}"] if isinstance(value, str) and len(value) > argument else []

    def _min_items(self, value, argument, _schema, path):
        return [f"{path}: fewer than {argument} items"] if isinstance(value, list) and len(value) < argument else []

    def _max_items(self, value, argument, _schema, path):
        return [f"{path}: more than {argument} items"] if isinstance(value, list) and len(value) > argument else []


def shown(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
