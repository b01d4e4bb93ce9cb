#include "chain/header_rules.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "chain/base_fee.hpp"
#include "chain/blob_fee.hpp"
#include "chain/ethash_difficulty.hpp"
#include "core/hex.hpp"

namespace keel::chain {
namespace {

using core::Fork;
using core::Hash32;
using core::Header;
using core::U256;

using Change = std::function<void(Header&)>;

// A parent and a child that follows it by the rules of `schedule`, at block 10.
struct Pair {
    ForkSchedule schedule;
    bool proof_of_stake;
    Header parent;
    Header child;

    explicit Pair(const ForkSchedule& with) : schedule(with) {
        proof_of_stake = schedule.is_proof_of_stake(0);
        parent.number = 9;
        parent.timestamp = 1'000;
        parent.gas_limit = 30'000'000;
        parent.gas_used = 15'000'000;
        parent.difficulty = proof_of_stake ? 0 : 1'000'000;
        add_fields(parent);
        child = parent;
        child.number = 10;
        child.timestamp = 1'012;
        if (!proof_of_stake) {
            child.difficulty = ethash_difficulty({.number = 10,
                                                  .timestamp = 1'012,
                                                  .parent_timestamp = 1'000,
                                                  .parent_difficulty = parent.difficulty,
                                                  .parent_has_ommers = false},
                                                 rules().rules);
        }
        add_fields(child);
    }
    BlockRules rules() const { return schedule.at(child.number, child.timestamp, proof_of_stake); }
    void add_fields(Header& header) const {
        const core::ForkRules at =
            schedule.at(header.number, header.timestamp, proof_of_stake).rules;
        if (at.eip_1559) header.base_fee = kInitialBaseFee;
        if (at.eip_4895) header.withdrawals_root = core::kEmptyTrieRoot;
        if (at.eip_4844) header.blob_gas_used = header.excess_blob_gas = 0;
        if (at.eip_4788) header.parent_beacon_root = Hash32();
        if (at.eip_7685) header.requests_hash = core::kEmptyRequestsHash;
    }
    std::optional<Verdict> check() const {
        const auto checked = check_header(child, parent, rules(), schedule, proof_of_stake);
        return checked ? std::nullopt : std::optional(checked.error().verdict);
    }
    std::string text() const {
        return check_header(child, parent, rules(), schedule, proof_of_stake).error().text;
    }
};

Pair pair_of(std::string_view network) {
    return Pair(ForkSchedule(config_of_network(network).value()));
}

TEST(HeaderRules, a_right_header_passes_in_every_fork) {
    for (const char* network :
         {"Frontier", "Homestead", "EIP150", "EIP158", "Byzantium", "ConstantinopleFix", "Istanbul",
          "MuirGlacier", "Berlin", "London", "GrayGlacier", "Paris", "Shanghai", "Cancun", "Prague",
          "Osaka", "BPO4"}) {
        EXPECT_EQ(pair_of(network).check(), std::nullopt) << network;
    }
}

TEST(HeaderRules, each_rule_has_its_verdict) {
    struct Case {
        const char* network;
        Change spoil;
        std::optional<Verdict> verdict;
    };
    const Case cases[] = {
        {"Osaka", [](Header& h) { h.timestamp = 1'000; }, Verdict::Timestamp},
        {"Osaka", [](Header& h) { h.timestamp = 1'001; }, std::nullopt},
        {"Osaka", [](Header& h) { h.extra_data.resize(33); }, Verdict::ExtraDataTooLong},
        {"Osaka", [](Header& h) { h.extra_data.resize(32); }, std::nullopt},
        {"Osaka", [](Header& h) { h.number = 9; }, Verdict::BlockNumber},
        {"Osaka", [](Header& h) { h.number = 11; }, Verdict::BlockNumber},
        {"Osaka", [](Header& h) { h.difficulty = 1; }, Verdict::ProofOfWorkAfterMerge},
        {"Osaka", [](Header& h) { h.nonce[7] = 1; }, Verdict::NonceNotZero},
        {"Osaka", [](Header& h) { h.ommers_hash = Hash32(); }, Verdict::OmmersAfterMerge},
        {"Osaka", [](Header& h) { h.mix_hash[0] = 1; }, std::nullopt},
        {"London", [](Header& h) { h.difficulty = 0; }, Verdict::ProofOfStakeBeforeMerge},
        {"London", [](Header& h) { h.difficulty = 999'999; }, Verdict::Difficulty},
        {"London", [](Header& h) { h.nonce[7] = 1; }, std::nullopt},
        {"Osaka", [](Header& h) { h.gas_used = h.gas_limit + 1; }, Verdict::GasUsedAboveLimit},
        {"Osaka", [](Header& h) { h.gas_limit += 29'295; }, std::nullopt},
        {"Osaka", [](Header& h) { h.gas_limit -= 29'295; }, std::nullopt},
        {"Osaka", [](Header& h) { h.gas_limit += 29'296; }, Verdict::GasLimitOutOfBounds},
        {"Osaka", [](Header& h) { h.gas_limit -= 29'296; }, Verdict::GasLimitOutOfBounds},
        {"Osaka", [](Header& h) { h.gas_limit = 0; }, Verdict::GasLimitOutOfBounds},
        {"London", [](Header& h) { h.base_fee = 999'999'999; }, Verdict::BaseFee},
        {"London", [](Header& h) { h.base_fee.reset(); }, Verdict::HeaderFields},
        {"Berlin", [](Header& h) { h.base_fee = 7; }, Verdict::HeaderFields},
        {"Paris", [](Header& h) { h.withdrawals_root = Hash32(); }, Verdict::HeaderFields},
        {"Shanghai", [](Header& h) { h.withdrawals_root.reset(); }, Verdict::HeaderFields},
        {"Cancun", [](Header& h) { h.blob_gas_used.reset(); }, Verdict::HeaderFields},
        {"Cancun", [](Header& h) { h.excess_blob_gas.reset(); }, Verdict::HeaderFields},
        {"Cancun", [](Header& h) { h.parent_beacon_root.reset(); }, Verdict::HeaderFields},
        {"Cancun", [](Header& h) { h.requests_hash = Hash32(); }, Verdict::HeaderFields},
        {"Prague", [](Header& h) { h.requests_hash.reset(); }, Verdict::HeaderFields},
        {"Cancun", [](Header& h) { h.blob_gas_used = 6 * kGasPerBlob; }, std::nullopt},
        {"Cancun", [](Header& h) { h.blob_gas_used = 7 * kGasPerBlob; },
         Verdict::BlobGasUsedAboveMax},
        {"Cancun", [](Header& h) { h.excess_blob_gas = kGasPerBlob; }, Verdict::ExcessBlobGas},
        {"Cancun", [](Header& h) { h.excess_blob_gas = UINT64_MAX - kGasPerBlob + 1; },
         Verdict::ExcessBlobGas},
    };
    for (const Case& expected : cases) {
        Pair pair = pair_of(expected.network);
        expected.spoil(pair.child);
        const auto verdict = pair.check();
        EXPECT_EQ(verdict, expected.verdict) << expected.network << ", case " << &expected - cases
                                             << ": " << (verdict ? pair.text() : "passed");
    }
}

TEST(HeaderRules, a_gas_limit_below_5000_is_refused_although_the_step_is_small) {
    Pair pair = pair_of("Osaka");
    pair.parent.gas_limit = 5'002;
    pair.parent.gas_used = 2'501;
    pair.child.gas_used = 0;
    pair.child.gas_limit = 5'000;
    EXPECT_EQ(pair.check(), std::nullopt);
    pair.child.gas_limit = 4'999;
    EXPECT_EQ(pair.check(), Verdict::GasLimitBelowMin);
}

TEST(HeaderRules, a_gas_limit_above_63_bits_is_refused_although_the_step_is_small) {
    Pair pair = pair_of("Berlin");
    pair.parent.gas_limit = UINT64_MAX / 2;
    pair.child.gas_limit = pair.parent.gas_limit;
    EXPECT_EQ(pair.check(), std::nullopt);
    ++pair.child.gas_limit;
    EXPECT_EQ(pair.check(), Verdict::GasLimitAboveMax);
}

// EIP-1559: gas limit and base fee of the first London block. London is at 5 in this network.
TEST(HeaderRules, the_first_london_block_doubles_the_gas_limit_and_starts_at_1_gwei) {
    Pair pair(ForkSchedule(config_of_network("BerlinToLondonAt5").value()));
    pair.parent.base_fee.reset();  // as if of Berlin
    pair.child.gas_limit = 60'000'000;
    pair.child.base_fee = kInitialBaseFee;
    EXPECT_EQ(pair.check(), std::nullopt);
    pair.child.gas_limit = 30'000'000;
    EXPECT_EQ(pair.check(), Verdict::GasLimitOutOfBounds);
    pair.child.gas_limit = 60'000'000;
    pair.child.base_fee = kInitialBaseFee + 1;
    EXPECT_EQ(pair.check(), Verdict::BaseFee);
}

// EVM.md 3.5: the parent is before Cancun, so its blob fields count as 0.
TEST(HeaderRules, the_first_cancun_block_starts_without_excess) {
    Pair pair = pair_of("Cancun");
    pair.parent.blob_gas_used.reset();
    pair.parent.excess_blob_gas.reset();
    EXPECT_EQ(pair.check(), std::nullopt);
}

TEST(HeaderRules, extra_data_of_ten_blocks_tells_the_side_of_the_dao_fork) {
    const core::Bytes pro = core::from_hex("0x64616f2d686172642d666f726b").value();
    struct Case {
        std::optional<uint64_t> fork;
        bool support, marked;
        std::optional<Verdict> verdict;
    };
    const Case cases[] = {
        {10, true, true, std::nullopt},
        {10, true, false, Verdict::ExtraDataDao},
        {10, false, false, std::nullopt},
        {10, false, true, Verdict::ExtraDataDao},
        {1, true, false, Verdict::ExtraDataDao},
        {0, true, false, std::nullopt},
        {11, true, false, std::nullopt},
        {std::nullopt, true, false, std::nullopt},
        {std::nullopt, false, true, std::nullopt},
    };
    for (const Case& expected : cases) {
        ChainConfig config = config_of_network("Homestead").value();
        config.dao = expected.fork;
        config.dao_support = expected.support;
        Pair pair{ForkSchedule(config)};
        if (expected.marked) pair.child.extra_data = pro;
        EXPECT_EQ(pair.check(), expected.verdict) << "case " << &expected - cases;
    }
}

TEST(HeaderRules, blocks_of_a_fork_without_rules_are_refused_by_name) {
    ChainConfig config = config_of_network("Osaka").value();
    config.amsterdam = 1'012;
    EXPECT_EQ(Pair(ForkSchedule(config)).check(), Verdict::ForkNotSupported);
    EXPECT_EQ(Pair(ForkSchedule(config)).text(), "fork Amsterdam is not supported");
    config.amsterdam = 1'013;
    EXPECT_EQ(Pair(ForkSchedule(config)).check(), std::nullopt);
}

TEST(HeaderRules, a_chain_without_merge_has_no_block_of_shanghai) {
    ChainConfig config = config_of_network("Shanghai").value();
    config.terminal_total_difficulty.reset();
    EXPECT_EQ(Pair(ForkSchedule(config)).check(), Verdict::ProofOfStakeBeforeMerge);
}

// Blocks 1 and 2 of mainnet: hashes of others are not needed for these rules.
TEST(HeaderRules, takes_the_second_block_of_mainnet) {
    ChainConfig config;
    config.homestead = 1'150'000;
    Header first, second;
    first.number = 1;
    first.timestamp = 1'438'269'988;
    first.gas_limit = 5'000;
    first.difficulty = 17'171'480'576;
    second.number = 2;
    second.timestamp = 1'438'270'017;
    second.gas_limit = 5'000;
    second.difficulty = 17'163'096'064;
    const ForkSchedule schedule(config);
    EXPECT_TRUE(
        check_header(second, first, schedule.at(2, second.timestamp, false), schedule, false));
}

}  // namespace
}  // namespace keel::chain
