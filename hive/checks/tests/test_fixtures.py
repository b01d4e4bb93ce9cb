"""Rulesets, genesis files and mappers of the consume simulators."""

import json
import pathlib
import tempfile
import unittest

import context  # noqa: F401

import fixtures


def variables(network, config=None):
    environment = fixtures.environment_of(network, config)
    return {name.removeprefix("HIVE_"): value for name, value in environment.items()}


class Rulesets(unittest.TestCase):
    def test_a_fork_by_block_has_all_before_it_and_none_behind_it(self):
        found = variables("Constantinople")
        self.assertEqual(found["FORK_CONSTANTINOPLE"], "0")
        self.assertEqual(found["FORK_BYZANTIUM"], "0")
        self.assertEqual(found["FORK_PETERSBURG"], "2000")
        self.assertNotIn("TERMINAL_TOTAL_DIFFICULTY", found)

    def test_a_fork_by_time_begins_with_the_genesis(self):
        found = variables("Cancun")
        self.assertEqual((found["SHANGHAI_TIMESTAMP"], found["CANCUN_TIMESTAMP"]), ("0", "0"))
        self.assertEqual((found["FORK_MERGE"], found["TERMINAL_TOTAL_DIFFICULTY"]), ("0", "0"))
        self.assertNotIn("PRAGUE_TIMESTAMP", found)

    def test_transitions_by_block_time_and_difficulty(self):
        self.assertEqual(variables("BerlinToLondonAt5")["FORK_LONDON"], "5")
        self.assertEqual(variables("ByzantiumToConstantinopleFixAt5")["FORK_CONSTANTINOPLE"], "5")
        found = variables("CancunToPragueAtTime15k")
        self.assertEqual((found["CANCUN_TIMESTAMP"], found["PRAGUE_TIMESTAMP"]), ("0", "15000"))
        found = variables("BPO2ToBPO3AtTime15k")
        self.assertEqual((found["BPO2_TIMESTAMP"], found["BPO3_TIMESTAMP"]), ("0", "15000"))
        found = variables("ArrowGlacierToParisAtDiffC0000")
        self.assertEqual(found["TERMINAL_TOTAL_DIFFICULTY"], "786432")
        self.assertEqual(variables("HomesteadToDaoAt5")["FORK_DAO_BLOCK"], "5")

    def test_the_dao_fork_is_set_where_no_later_fork_contradicts_it(self):
        found = {name: variables(name).get("FORK_DAO_BLOCK") for name in (
            "Frontier", "Homestead", "FrontierToHomesteadAt5", "HomesteadToDaoAt5", "HomesteadToEIP150At5", "EIP150",
            "EIP158", "Byzantium")}
        self.assertEqual(found, {"Frontier": "2000", "Homestead": "2000", "FrontierToHomesteadAt5": "2000",
                                 "HomesteadToDaoAt5": "5", "HomesteadToEIP150At5": None, "EIP150": None, "EIP158": None,
                                 "Byzantium": None})

    def test_blob_parameters_and_chain_id_are_the_fixture_s(self):
        found = variables("Prague", {"chainid": "0x2a", "blobSchedule": {
            "Prague": {"target": "0x06", "max": "0x09", "baseFeeUpdateFraction": "0x4c6964"}}})
        self.assertEqual(found["PRAGUE_BLOB_BASE_FEE_UPDATE_FRACTION"], "5007716")
        self.assertEqual((found["CHAIN_ID"], found["NETWORK_ID"]), ("42", "42"))

    def test_an_unknown_network_is_said(self):
        with self.assertRaises(fixtures.UnknownNetwork):
            variables("Serenity")


class Genesis(unittest.TestCase):
    def test_the_header_stays_and_addresses_lose_their_prefix(self):
        text = fixtures.genesis_text({"hash": "0x1"}, {"0xaa": {"balance": "0x2"}})
        self.assertEqual(json.loads(text), {"hash": "0x1", "alloc": {"aa": {"balance": "0x2"}}})


class Files(unittest.TestCase):
    def test_what_is_not_an_object_of_tests_holds_none(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "list.json"
            file.write_text("[1, 2]")
            self.assertEqual(list(fixtures.fixtures_of(file, "blocks")), [])
            file.write_text('{"a": {"blocks": []}, "b": {}, "c": 1}')
            self.assertEqual([fixture.name for fixture in fixtures.fixtures_of(file, "blocks")], ["a"])


class Mappers(unittest.TestCase):
    def test_one_of_the_names_is_enough(self):
        expected = "TransactionException.NONCE_MISMATCH_TOO_HIGH|TransactionException.NONCE_MISMATCH_TOO_LOW"
        self.assertTrue(fixtures.explains(expected, "could not apply tx 0: nonce too low: tx: 1 state: 2", fixtures.GETH))
        self.assertFalse(fixtures.explains(expected, "intrinsic gas too low", fixtures.GETH))

    def test_a_name_without_a_pattern_says_nothing(self):
        self.assertIsNone(fixtures.explains("BlockException.UNHEARD_OF", "anything", fixtures.GETH))


if __name__ == "__main__":
    unittest.main()
