#include "core/types/block.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "core/types/receipt.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::core {
namespace {

// A header with the optional fields of `rules`.
Header sample(const ForkRules& rules) {
    Header header;
    header.number = 300;
    header.gas_limit = 30'000'000;
    header.timestamp = 0x6000'0000;
    header.extra_data = {1, 2, 3};
    header.difficulty = U256(131072);
    if (rules.eip_1559) header.base_fee = U256(7);
    if (rules.eip_4895) header.withdrawals_root = kEmptyTrieRoot;
    if (rules.eip_4844) {
        header.blob_gas_used = 0;
        header.excess_blob_gas = 131072;
        header.parent_beacon_root = kEmptyCodeHash;
    }
    if (rules.eip_7685) header.requests_hash = kEmptyRequestsHash;
    return header;
}

Bytes encoded(const Header& header) {
    Bytes rlp;
    append_header(rlp, header);
    return rlp;
}

TEST(Header, the_fields_of_every_fork_survive_encoding_and_decoding) {
    for (int fork = 0; fork < kForkCount; ++fork) {
        const ForkRules rules = rules_of(static_cast<Fork>(fork));
        const Header header = sample(rules);
        EXPECT_TRUE(has_fields_of(header, rules));
        const Bytes rlp = encoded(header);
        const auto decoded = decode_header(ByteView(rlp));
        ASSERT_TRUE(decoded) << fork;
        EXPECT_EQ(*decoded, header);
        EXPECT_EQ(encoded(*decoded), rlp);
    }
    EXPECT_FALSE(has_fields_of(sample(rules_of(Fork::London)), rules_of(Fork::Berlin)));
    EXPECT_FALSE(has_fields_of(sample(rules_of(Fork::London)), rules_of(Fork::Shanghai)));
}

TEST(Header, other_counts_of_fields_are_refused) {
    const Bytes rlp = encoded(sample(rules_of(Fork::Prague)));
    RlpReader items = rlp_outer_list(rlp).value();
    Bytes payload;
    for (size_t count = 0; count <= 21; ++count) {
        Bytes shortened;
        rlp_append_list_header(shortened, payload.size());
        append(shortened, payload);
        // 19: ends with excessBlobGas, as a genesis before Cancun may; header rules refuse others.
        const bool expected = count == 15 || count == 16 || count == 17 || count >= 19;
        EXPECT_EQ(decode_header(ByteView(shortened)).has_value(), expected) << count;
        if (count < 21) append(payload, items.item().value());
    }
    payload.push_back(0x80);
    Bytes extended;
    rlp_append_list_header(extended, payload.size());
    append(extended, payload);
    EXPECT_EQ(decode_header(ByteView(extended)).error(), RlpError::ListTooLong);
    Bytes followed = rlp;
    followed.push_back(0);
    EXPECT_EQ(decode_header(ByteView(followed)).error(), RlpError::TrailingBytes);
}

// Index of the field, its new item, and what is wrong with it.
TEST(Header, fields_of_wrong_form_are_refused) {
    const auto with = [](size_t index, const Bytes& replacement) {
        const Bytes rlp = encoded(sample(rules_of(Fork::Prague)));
        RlpReader items = rlp_outer_list(rlp).value();
        Bytes payload;
        for (size_t i = 0; i < 21; ++i) {
            const ByteView item = items.item().value();
            append(payload, i == index ? ByteView(replacement) : item);
        }
        Bytes changed;
        rlp_append_list_header(changed, payload.size());
        append(changed, payload);
        return decode_header(ByteView(changed)).error();
    };
    EXPECT_EQ(with(0, {0x80}), RlpError::UnexpectedLength);
    EXPECT_EQ(with(6, {0x80}), RlpError::UnexpectedLength);
    EXPECT_EQ(with(7, {0x00}), RlpError::LeadingZeros);
    EXPECT_EQ(with(8, {0x82, 0x00, 0x01}), RlpError::LeadingZeros);
    EXPECT_EQ(with(9, {0x81, 0x01}), RlpError::NonCanonicalSize);
    EXPECT_EQ(with(11, {0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0}), RlpError::Overflow);
    EXPECT_EQ(with(12, {0xc0}), RlpError::ExpectedString);
    EXPECT_EQ(with(14, {0x87, 0, 0, 0, 0, 0, 0, 0}), RlpError::UnexpectedLength);
    EXPECT_EQ(with(17, {0x00}), RlpError::LeadingZeros);
    EXPECT_EQ(with(20, {0x80}), RlpError::UnexpectedLength);
}

TEST(Block, body_survives_encoding_and_decoding) {
    Block block;
    block.header = sample(rules_of(Fork::Shanghai));
    Tx legacy;
    set_signature(legacy, 0, U256(1), U256(2));
    Tx typed;
    typed.type = TxType::DynamicFee;
    typed.chain_id = U256(1);
    block.txs = {legacy, typed};
    block.ommers = {sample(rules_of(Fork::Frontier))};
    block.withdrawals = {{1, 2, Address{}, 3}};
    Bytes rlp;
    append_block(rlp, block);
    const auto decoded = decode_block(ByteView(rlp));
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    EXPECT_EQ(decoded->header, block.header);
    EXPECT_EQ(decoded->txs.size(), 2u);
    EXPECT_EQ(decoded->ommers, block.ommers);
    EXPECT_EQ(decoded->withdrawals, block.withdrawals);
    Bytes again;
    append_block(again, *decoded);
    EXPECT_EQ(again, rlp);
    rlp.push_back(0);
    EXPECT_EQ(decode_block(ByteView(rlp)).error(), RlpError::TrailingBytes);
}

TEST(Block, an_empty_list_of_withdrawals_is_not_an_absent_one) {
    Block block;
    Bytes without, with;
    append_block(without, block);
    block.withdrawals.emplace();
    append_block(with, block);
    EXPECT_FALSE(decode_block(ByteView(without))->withdrawals);
    EXPECT_TRUE(decode_block(ByteView(with))->withdrawals);
}

TEST(Withdrawal, wrong_forms_are_refused) {
    const std::string address = "94" + std::string(40, '0');
    const auto error_of = [](const std::string& digits) {
        const Bytes rlp = from_hex(digits).value();
        RlpReader reader(rlp);
        return decode_withdrawal(reader).error();
    };
    EXPECT_EQ(error_of("d70102" + address), RlpError::ListTooShort);
    EXPECT_EQ(error_of("d90102" + address + "0304"), RlpError::ListTooLong);
    EXPECT_EQ(error_of("d80002" + address + "03"), RlpError::LeadingZeros);
    EXPECT_EQ(error_of("c401020303"), RlpError::UnexpectedLength);
}

TEST(Receipt, status_and_state_root_stand_in_the_same_place) {
    Receipt receipt;
    receipt.type = TxType::DynamicFee;
    receipt.success = true;
    receipt.cumulative_gas_used = 21000;
    receipt.logs = {{Address{}, {kEmptyCodeHash}, {9}}};
    Bytes rlp;
    append_receipt(rlp, receipt);
    EXPECT_EQ(rlp[0], 2);
    RlpReader fields = rlp_outer_list(ByteView(rlp).sub(1)).value();
    EXPECT_EQ(fields.uint64(), 1u);
    EXPECT_EQ(fields.uint64(), 21000u);
    EXPECT_EQ(fields.fixed<Bloom>(), Bloom{});
    RlpReader log = fields.list()->list().value();
    EXPECT_EQ(log.fixed<Address>(), Address{});
    EXPECT_EQ(log.list()->fixed<Hash32>(), kEmptyCodeHash);
    EXPECT_EQ(log.string(), ByteView(receipt.logs[0].data));
    EXPECT_TRUE(log.end() && fields.end());

    receipt.type = TxType::Legacy;
    receipt.state_root = kEmptyTrieRoot;
    rlp.clear();
    append_receipt(rlp, receipt);
    EXPECT_EQ(rlp_outer_list(rlp)->fixed<Hash32>(), kEmptyTrieRoot);
}

TEST(Bloom, three_bits_stand_for_a_digest) {
    Bloom bloom;
    Hash32 digest;
    digest[1] = 0;                      // bit 0
    digest[2] = 0xff, digest[3] = 7;    // bit 0x707
    digest[4] = 0x07, digest[5] = 255;  // bit 2047
    EXPECT_FALSE(bloom_may_contain(bloom, digest));
    bloom_add(bloom, digest);
    EXPECT_EQ(bloom[255], 0x01);
    EXPECT_EQ(bloom[255 - 0x707 / 8], 0x80);
    EXPECT_EQ(bloom[0], 0x80);
    EXPECT_TRUE(bloom_may_contain(bloom, digest));
    Bloom other;
    bloom_merge(other, bloom);
    EXPECT_EQ(other, bloom);
}

TEST(Block, blocks_of_fixtures_are_encoded_as_they_stood) {
    const auto set = tests::fixture_set("ethereum-tests");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    const std::filesystem::path root = *set / "BlockchainTests";
    if (!std::filesystem::is_directory(root))
        GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    // Every 40th file, so that all folders take part and the test stays short.
    size_t files = 0, blocks = 0;
    const auto check = [&blocks](const std::string& digits, const std::string& name) {
        const Bytes rlp = from_hex(digits).value();
        const auto block = decode_block(ByteView(rlp));
        ASSERT_TRUE(block) << name << ": " << to_string(block.error());
        Bytes again;
        append_block(again, *block);
        EXPECT_EQ(again, rlp) << name;
        ++blocks;
    };
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() != ".json" || entry.file_size() > 2'000'000) continue;
        if (files++ % 40 != 0) continue;
        std::ifstream stream(entry.path());
        const nlohmann::json json = nlohmann::json::parse(stream);
        for (const auto& [name, test] : json.items()) {
            if (test.contains("genesisRLP")) check(test["genesisRLP"], name);
            if (!test.contains("blocks")) continue;
            for (const auto& block : test["blocks"]) {
                if (block.contains("blockHeader")) check(block["rlp"], name);  // valid ones
            }
        }
    }
    EXPECT_GT(blocks, 0u);
    RecordProperty("blocks", static_cast<int>(blocks));
}

}  // namespace
}  // namespace keel::core
