import unittest

import context  # noqa: F401  (puts the checks into the path)
from schema import SchemaError, Validator

HEX = {"type": "string", "pattern": "^0x[0-9a-f]+$"}

# value, schema, whether it is valid
CASES = {
    "type": [
        (None, {"type": "null"}, True), (1, {"type": "integer"}, True), (1.0, {"type": "integer"}, True),
        (1.5, {"type": "integer"}, False), (True, {"type": "integer"}, False), (1.5, {"type": "number"}, True),
        ([], {"type": "array"}, True), ({}, {"type": "object"}, True), ("", {"type": "object"}, False),
        ("x", {"type": ["null", "string"]}, True),
    ],
    "enum and const": [
        ("a", {"enum": ["a", "b"]}, True), ("c", {"enum": ["a", "b"]}, False),
        (True, {"enum": [1]}, False), (0, {"const": False}, False), (1.0, {"const": 1}, True),
    ],
    "pattern": [
        ("0x1", HEX, True), ("1", HEX, False), ("0x1\n", HEX, False),
        ("a0x1", {"pattern": "0x"}, True),   # not anchored
        (5, {"pattern": "^a$"}, True),       # concerns strings only
    ],
    "object": [
        ({"a": 1}, {"required": ["a"]}, True), ({}, {"required": ["a"]}, False),
        ({"a": "x"}, {"properties": {"a": {"type": "integer"}}}, False),
        ({"b": 1}, {"properties": {"a": {}}, "additionalProperties": False}, False),
        ({"0x1": "0x2"}, {"additionalProperties": HEX}, True),
        ({"0x1": 2}, {"additionalProperties": HEX}, False),
        ({"x1": 2}, {"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, True),
        ([], {"required": ["a"]}, True),     # concerns objects only
    ],
    "array": [
        (["0x1", "0x2"], {"items": HEX}, True), (["0x1", 2], {"items": HEX}, False),
        ([1, "a"], {"items": [{"type": "integer"}, {"type": "string"}]}, True),
        ([], {"minItems": 1}, False), ([1, 2], {"maxItems": 1}, False),
    ],
    "combined": [
        ("0x1", {"oneOf": [HEX, {"type": "null"}]}, True), (5, {"oneOf": [HEX, {"type": "null"}]}, False),
        ("0x1", {"oneOf": [HEX, {"type": "string"}]}, False),   # two match
        ("0x1", {"anyOf": [HEX, {"type": "string"}]}, True), (5, {"anyOf": [HEX, {"type": "null"}]}, False),
        ("0x1", {"allOf": [HEX, {"maxLength": 3}]}, True), ("0x11", {"allOf": [HEX, {"maxLength": 3}]}, False),
        ("0x1", {"not": HEX}, False), (1, {"not": HEX}, True),
        (3, {"minimum": 3, "maximum": 3}, True), (2, {"minimum": 3}, False), (4, {"maximum": 3}, False),
        (1, True, True), (1, False, False),
    ],
}


class Keywords(unittest.TestCase):
    def test_each_keyword_accepts_and_refuses(self):
        for name, cases in CASES.items():
            for value, schema, valid in cases:
                with self.subTest(name, value=value, schema=schema):
                    self.assertEqual(not Validator().errors(value, schema), valid)

    def test_an_error_names_the_place(self):
        errors = Validator().errors({"a": [{"b": 1}]}, {"properties": {"a": {"items": {"properties": {"b": HEX | {}}}}}})
        self.assertEqual(len(errors), 1)
        self.assertTrue(errors[0].startswith("result.a[0].b: "), errors)

    def test_a_reference_is_followed_within_the_document(self):
        document = {"components": {"schemas": {"a/b": HEX}}}
        schema = {"$ref": "#/components/schemas/a~1b"}
        self.assertEqual(Validator(document).errors("0x1", schema), [])
        self.assertEqual(len(Validator(document).errors("x", schema)), 1)
        with self.assertRaises(SchemaError):
            Validator(document).errors("0x1", {"$ref": "#/components/none"})
        with self.assertRaises(SchemaError):
            Validator(document).errors("0x1", {"$ref": "other.json#/a"})

    def test_an_unknown_keyword_is_an_error(self):
        with self.assertRaises(SchemaError):
            Validator().errors(1, {"exclusiveMinimum": 3})

    def test_annotations_count_for_nothing(self):
        self.assertEqual(Validator().errors(1, {"title": "t", "description": "d", "default": 2}), [])


if __name__ == "__main__":
    unittest.main()
