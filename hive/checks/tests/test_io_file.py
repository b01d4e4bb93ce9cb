import unittest

import context  # noqa: F401
from io_file import BrokenCase, differences, load, parse, without_messages


def compare(expected, answer):
    return differences(*without_messages(load(expected), load(answer)))


class Parsing(unittest.TestCase):
    def test_comments_requests_and_answers_are_told_apart(self):
        case = parse('// what it is\n\n>> {"id":1}\n<< {"a":1}\n// later\n>> {"id":2}\n<< {"a":2}\n')
        self.assertEqual(case.description, "what it is")
        self.assertFalse(case.speconly)
        self.assertEqual(case.messages, [("request", '{"id":1}'), ("answer", '{"a":1}'),
                                         ("request", '{"id":2}'), ("answer", '{"a":2}')])

    def test_speconly_counts_only_before_the_first_message(self):
        self.assertTrue(parse("// speconly: why\n>> {}\n<< {}").speconly)
        self.assertTrue(parse("// first\n//speconly: why\n>> {}\n<< {}").speconly)
        self.assertFalse(parse("// about speconly: no\n>> {}\n<< {}").speconly)
        self.assertFalse(parse(">> {}\n// speconly: late\n<< {}").speconly)

    def test_lines_are_trimmed(self):
        self.assertEqual(parse("  >>   {}  \r\n<<{}\r\n").messages, [("request", "{}"), ("answer", "{}")])

    def test_anything_else_is_a_broken_case(self):
        for text in ("", "// nothing", "{}", "> {}", "<< {}\n>> {}"):
            with self.subTest(text), self.assertRaises(BrokenCase):
                parse(text)


class Comparing(unittest.TestCase):
    def test_order_of_members_is_free_and_order_of_lists_is_not(self):
        self.assertEqual(compare('{"a":1,"b":2}', '{"b":2,"a":1}'), [])
        self.assertEqual(len(compare("[1,2]", "[2,1]")), 2)

    def test_a_member_too_many_or_too_few_or_null_instead_of_absent_fails(self):
        for expected, answer in (("{}", '{"a":1}'), ('{"a":1}', "{}"), ("{}", '{"a":null}'), ('{"a":null}', "{}")):
            with self.subTest(expected=expected, answer=answer):
                self.assertEqual(len(compare(expected, answer)), 1)

    def test_strings_are_compared_byte_for_byte_and_numbers_as_doubles(self):
        self.assertEqual(len(compare('"0xAb"', '"0xab"')), 1)
        self.assertEqual(len(compare('"0x01"', '"0x1"')), 1)
        self.assertEqual(compare("1", "1.0"), [])
        self.assertEqual(compare("9007199254740993", "9007199254740992"), [])
        self.assertEqual(len(compare("1", "true")), 1)
        self.assertEqual(len(compare("1", '"1"')), 1)
        self.assertEqual(len(compare("0", "null")), 1)

    def test_the_message_of_an_error_counts_only_where_one_side_has_none(self):
        self.assertEqual(compare('{"error":{"code":1,"message":"a"}}', '{"error":{"code":1,"message":"b"}}'), [])
        self.assertEqual(len(compare('{"error":{"code":1,"message":"a"}}', '{"error":{"code":1}}')), 1)
        self.assertEqual(len(compare('{"error":{"code":1,"message":"a"}}', '{"error":{"code":2,"message":"a"}}')), 1)
        self.assertEqual(
            len(compare('{"error":{"message":"a","data":"0x"}}', '{"error":{"message":"a","data":"0x00"}}')), 1)

    def test_nested_errors_are_treated_alike_but_not_walked_into(self):
        expected = '{"result":[{"calls":[{"error":{"code":3,"message":"a"}}]}]}'
        self.assertEqual(compare(expected, expected.replace('"a"', '"b"')), [])
        deep = '{"error":{"message":"x","data":{"error":{"message":"a"}}}}'
        self.assertEqual(len(compare(deep, deep.replace('"a"', '"b"'))), 1)
        text = '{"error":"a"}'
        self.assertEqual(len(compare(text, '{"error":"b"}')), 1)

    def test_the_envelope_counts(self):
        self.assertEqual(len(compare('{"jsonrpc":"2.0","id":1,"result":1}', '{"jsonrpc":"2.0","id":"1","result":1}')), 1)
        self.assertEqual(len(compare('{"id":1,"result":1}', '{"id":1,"result":1,"error":null}')), 1)

    def test_what_is_not_json_is_refused(self):
        for text in ("", "{", "NaN", "{} {}"):
            with self.subTest(text), self.assertRaises(ValueError):
                load(text)


if __name__ == "__main__":
    unittest.main()
