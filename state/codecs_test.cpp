#include "state/codecs.hpp"

#include <gtest/gtest.h>

#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/rlp.hpp"

namespace keel::state {
namespace {

core::Bytes slim(const core::Account& account) {
    core::Bytes bytes;
    append_slim_account(bytes, account);
    return bytes;
}

TEST(Codecs, slim_account_leaves_out_the_hashes_of_nothing) {
    EXPECT_EQ(core::to_hex_prefixed(slim({})), "0xc480808080");
    EXPECT_EQ(core::to_hex_prefixed(slim({.nonce = 1, .balance = 0x80})), "0xc50181808080");
    core::Account contract{.nonce = 0x1234, .balance = core::U256::max()};
    contract.storage_root[31] = 1;
    contract.code_hash[0] = 2;
    const core::Bytes row = slim(contract);
    EXPECT_EQ(row.size(), 2u + 3 + 33 + 33 + 33);
    EXPECT_EQ(decode_slim_account(row), contract);
}

TEST(Codecs, slim_accounts_come_back_for_every_length_of_nonce_and_balance) {
    for (unsigned bits = 0; bits <= 256; ++bits) {
        core::Account account;
        account.nonce = bits == 0 || bits > 64 ? 0 : ~uint64_t{0} >> (64 - bits);
        account.balance = bits == 0 ? core::U256{} : core::U256::max() >> (256 - bits);
        if (bits % 2 == 1) account.storage_root = {};
        if (bits % 3 == 1) account.code_hash = {};
        EXPECT_EQ(decode_slim_account(slim(account)), account) << bits;
    }
}

TEST(Codecs, trie_account_has_full_hashes) {
    core::Bytes bytes;
    append_trie_account(bytes, {.nonce = 1, .balance = 2});
    core::Bytes expected;
    const size_t begin = core::rlp_begin_list(expected);
    core::rlp_append_uint(expected, uint64_t{1});
    core::rlp_append_uint(expected, uint64_t{2});
    core::rlp_append_string(expected, core::kEmptyTrieRoot);
    core::rlp_append_string(expected, core::kEmptyCodeHash);
    core::rlp_end_list(expected, begin);
    EXPECT_EQ(bytes, expected);
}

TEST(Codecs, damaged_rows_are_faults) {
    for (const char* row : {"0x", "0x80", "0xc3808080", "0xc58080808080",
                            "0xc4008080"
                            "80",
                            "0xc48080808080", "0xc5808081ff80"}) {
        const auto bytes = core::from_hex(row);
        ASSERT_TRUE(bytes) << row;
        try {
            decode_slim_account(*bytes);
            ADD_FAILURE() << row;
        } catch (const core::Fault& fault) {
            EXPECT_EQ(fault.kind(), core::FaultKind::Damaged) << row;
        }
    }
}

TEST(Codecs, keys_are_big_endian_and_joined) {
    EXPECT_EQ(core::to_hex_prefixed(number_key(0x0102)), "0x0000000000000102");
    EXPECT_EQ(number_of_key(number_key(0xfedcba9876543210)), 0xfedcba9876543210);
    core::Hash32 hash;
    hash[31] = 7;
    EXPECT_EQ(core::to_hex_prefixed(block_key(1, hash)),
              "0x0000000000000001" + std::string(62, '0') + "07");
    EXPECT_EQ(number_of_key(block_key(77, hash)), 77u);
    core::Address address;
    address[0] = 0xaa;
    EXPECT_EQ(core::to_hex_prefixed(slot_key(address, 0x1ff)),
              "0xaa" + std::string(38, '0') + std::string(60, '0') + "01ff");
}

TEST(Codecs, slot_values_lose_their_leading_zeros) {
    EXPECT_TRUE(trim_slot(core::U256{}.to_be32()).empty());
    const auto small = core::U256{0x0100}.to_be32();
    EXPECT_EQ(core::to_hex_prefixed(trim_slot(small)), "0x0100");
    const auto large = core::U256::max().to_be32();
    EXPECT_EQ(trim_slot(large).size(), 32u);
}

}  // namespace
}  // namespace keel::state
