"""Known values of the hashes, encodings and signatures that the engine suite makes its blocks of."""

import unittest

import context  # noqa: F401

import ethereum


class Hashes(unittest.TestCase):
    def test_keccak_of_nothing_and_of_more_than_a_block(self):
        self.assertEqual(ethereum.keccak256(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        self.assertEqual(ethereum.keccak256(b"abc").hex(), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")

    def test_empty_roots(self):
        self.assertEqual(ethereum.EMPTY_ROOT.hex(), "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
        self.assertEqual(ethereum.EMPTY_OMMERS.hex(), "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")


class Encoding(unittest.TestCase):
    def test_rlp_of_the_yellow_paper(self):
        self.assertEqual(ethereum.rlp([b"cat", b"dog"]).hex(), "c88363617483646f67")
        self.assertEqual(ethereum.rlp(0).hex(), "80")
        self.assertEqual(ethereum.rlp(1024).hex(), "820400")
        self.assertEqual(ethereum.rlp(b"x" * 56)[:2].hex(), "b838")


class Signatures(unittest.TestCase):
    def test_eip_155_example(self):
        account = ethereum.Account(0)
        account.key = int("46" * 32, 16)
        self.assertEqual(account.address.hex(), "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")
        tx = ethereum.Tx(account, chain_id=1, nonce=9, fee=20 * 10**9, gas=21000, to=bytes.fromhex("35" * 20), value=10**18)
        self.assertEqual(ethereum.keccak256(ethereum.rlp(tx.unsigned + [1, b"", b""])).hex(),
                         "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53")

    def test_commitment_of_one_is_the_generator(self):
        self.assertEqual(ethereum.Blob(0).commitment.hex(),
                         "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb")


if __name__ == "__main__":
    unittest.main()
