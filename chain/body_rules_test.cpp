#include "chain/body_rules.hpp"

#include <gtest/gtest.h>

#include <map>

#include "chain/blob_fee.hpp"
#include "chain/ethash_difficulty.hpp"
#include "core/types/block.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::chain {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::Header;

Hash32 hash_of(const Header& header) {
    Bytes rlp;
    append_header(rlp, header);
    return crypto::keccak256(rlp);
}

Hash32 hash_of_ommers(const std::vector<Header>& ommers) {
    Bytes rlp;
    append_ommers(rlp, ommers);
    return crypto::keccak256(rlp);
}

crypto::SealedBlock seal_of(const core::Block& block) {
    Bytes rlp;
    append_block(rlp, block);
    auto sealed = crypto::seal(std::move(rlp));
    EXPECT_TRUE(sealed);
    return *std::move(sealed);
}

std::optional<OmmerAncestor> no_ancestor(uint64_t) {
    return std::nullopt;
}

// A block of Cancun with one blob transaction and one withdrawal, right in all respects.
struct CancunBlock {
    ForkSchedule schedule{config_of_network("Cancun").value()};
    core::Block block;
    Bytes raw;

    CancunBlock() {
        core::Tx tx;
        tx.type = core::TxType::Blob;
        tx.chain_id = 1;
        tx.to = core::Address();
        tx.blob_hashes.resize(2);
        append_tx(raw, tx);
        block.txs.push_back(tx);
        block.withdrawals = {core::Withdrawal{1, 2, core::Address(), 3}};
        Header& header = block.header;
        header.number = 1;
        header.base_fee = 7;
        header.blob_gas_used = 2 * kGasPerBlob;
        header.excess_blob_gas = 0;
        header.parent_beacon_root = Hash32();
        header.tx_root = state::ordered_root(std::vector<ByteView>{raw});
        Bytes withdrawal;
        append_withdrawal(withdrawal, block.withdrawals->front());
        header.withdrawals_root = state::ordered_root(std::vector<ByteView>{withdrawal});
    }
    std::optional<Verdict> check() const {
        const auto checked =
            check_body(seal_of(block), schedule.at(1, 0, true), schedule, no_ancestor);
        return checked ? std::nullopt : std::optional(checked.error().verdict);
    }
};

TEST(BodyRules, a_body_fits_its_header) {
    EXPECT_EQ(CancunBlock().check(), std::nullopt);
}

TEST(BodyRules, each_part_is_compared_with_the_header) {
    CancunBlock other;
    other.block.txs.push_back(other.block.txs[0]);
    EXPECT_EQ(other.check(), Verdict::TxRoot);
    other = CancunBlock();
    other.block.withdrawals->front().amount = 4;
    EXPECT_EQ(other.check(), Verdict::WithdrawalsRoot);
    other = CancunBlock();
    other.block.withdrawals.reset();
    EXPECT_EQ(other.check(), Verdict::WithdrawalsMissing);
    other = CancunBlock();
    other.schedule = ForkSchedule(config_of_network("Paris").value());
    EXPECT_EQ(other.check(), Verdict::WithdrawalsUnexpected);
    other = CancunBlock();
    other.block.ommers.emplace_back();
    EXPECT_EQ(other.check(), Verdict::OmmersHash);
    other = CancunBlock();
    other.block.header.blob_gas_used = kGasPerBlob;
    EXPECT_EQ(other.check(), Verdict::BlobGasUsed);
    other.block.header.blob_gas_used = 2 * kGasPerBlob + 1;  // no multiple: the sum says it
    EXPECT_EQ(other.check(), Verdict::BlobGasUsed);
}

// A block that is right in all respects, with calldata that fills it up to `bytes`.
crypto::SealedBlock block_of_size(size_t bytes) {
    CancunBlock base;
    const size_t bytes_without = seal_of(base.block).rlp.size();
    // What the data costs beside itself is measured by a first try of nearly that size.
    const auto fill = [&](size_t data_bytes) {
        const Bytes data(data_bytes);
        core::Tx tx;
        tx.data = data;
        Bytes raw;
        append_tx(raw, tx);
        core::Block block = base.block;
        block.txs.push_back(tx);
        block.header.tx_root = state::ordered_root(std::vector<ByteView>{base.raw, raw});
        return seal_of(block);
    };
    const size_t first_try = bytes - bytes_without - 100;
    return fill(first_try + bytes - fill(first_try).rlp.size());
}

// EIP-7934: 8388608 bytes, the whole block counted.
TEST(BodyRules, a_block_of_osaka_has_a_largest_size) {
    constexpr size_t kBytesMax = 8'388'608;
    const ForkSchedule osaka(config_of_network("Osaka").value());
    const ForkSchedule prague(config_of_network("Prague").value());
    crypto::SealedBlock sealed = block_of_size(kBytesMax);
    ASSERT_EQ(sealed.rlp.size(), kBytesMax);
    EXPECT_TRUE(check_body(sealed, osaka.at(1, 0, true), osaka, no_ancestor));
    sealed = block_of_size(kBytesMax + 1);
    EXPECT_TRUE(check_body(sealed, prague.at(1, 0, true), prague, no_ancestor));
    const auto checked = check_body(sealed, osaka.at(1, 0, true), osaka, no_ancestor);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().verdict, Verdict::BlockTooLarge);
}

// A proof-of-work chain 0…9, on which block 10 is built with ommers.
class Ommers : public testing::Test {
  protected:
    Ommers() {
        for (uint64_t number = 0; number < 10; ++number) {
            chain_.push_back(number == 0 ? Header() : child_of(chain_.back()));
            if (number == 0) {
                chain_[0].gas_limit = 1'000'000;
                chain_[0].difficulty = 200'000;
            }
        }
    }
    Header child_of(const Header& parent, uint64_t later = 13) const {
        Header child;
        child.parent_hash = hash_of(parent);
        child.number = parent.number + 1;
        child.timestamp = parent.timestamp + later;
        child.gas_limit = parent.gas_limit;
        child.difficulty =
            ethash_difficulty({.number = child.number,
                               .timestamp = child.timestamp,
                               .parent_timestamp = parent.timestamp,
                               .parent_difficulty = parent.difficulty,
                               .parent_has_ommers = parent.ommers_hash != core::kEmptyOmmersHash},
                              schedule_.at(child.number, child.timestamp, false).rules);
        return child;
    }
    // Another child of block `number`.
    Header sibling_branch(uint64_t number) const { return child_of(chain_[number], 20); }
    std::optional<Verdict> check(const std::vector<Header>& ommers) const {
        core::Block block;
        block.header = child_of(chain_.back());
        block.header.ommers_hash = hash_of_ommers(ommers);
        block.ommers = ommers;
        const auto find = [this](uint64_t distance) -> std::optional<OmmerAncestor> {
            if (distance > chain_.size()) return std::nullopt;
            const uint64_t number = chain_.size() - distance;
            const auto used = used_.find(number);
            return OmmerAncestor{hash_of(chain_[number]), chain_[number],
                                 used == used_.end() ? std::vector<Header>() : used->second, false};
        };
        const auto checked =
            check_body(seal_of(block), schedule_.at(10, 0, false), schedule_, find);
        return checked ? std::nullopt : std::optional(checked.error().verdict);
    }

    ForkSchedule schedule_{config_of_network("Byzantium").value()};
    std::vector<Header> chain_;
    std::map<uint64_t, std::vector<Header>> used_;  // ommers of block n
};

// Yellow paper, 11.1: parents of ommers are the ancestors 2 to 7 generations back.
TEST_F(Ommers, are_children_of_ancestors_two_to_seven_generations_back) {
    EXPECT_EQ(check({sibling_branch(9)}), Verdict::OmmerDangling) << "a sibling of the block";
    for (uint64_t parent = 3; parent <= 8; ++parent) {
        EXPECT_EQ(check({sibling_branch(parent)}), std::nullopt) << parent;
    }
    EXPECT_EQ(check({sibling_branch(2)}), Verdict::OmmerDangling);
    Header stray = sibling_branch(5);
    stray.parent_hash = Hash32();
    EXPECT_EQ(check({stray}), Verdict::OmmerDangling);
}

TEST_F(Ommers, are_at_most_two_and_distinct) {
    EXPECT_EQ(check({sibling_branch(8), sibling_branch(7)}), std::nullopt);
    EXPECT_EQ(check({sibling_branch(8), sibling_branch(8)}), Verdict::OmmerDuplicate);
    EXPECT_EQ(check({sibling_branch(8), sibling_branch(7), sibling_branch(6)}),
              Verdict::TooManyOmmers);
}

TEST_F(Ommers, are_no_ancestors_and_were_not_used_before) {
    EXPECT_EQ(check({chain_[9]}), Verdict::OmmerIsAncestor);
    EXPECT_EQ(check({chain_[5]}), Verdict::OmmerIsAncestor);
    used_[7] = {sibling_branch(5)};
    EXPECT_EQ(check({sibling_branch(5)}), Verdict::OmmerDuplicate);
    EXPECT_EQ(check({sibling_branch(6)}), std::nullopt);
}

TEST_F(Ommers, obey_the_rules_of_headers) {
    Header ommer = sibling_branch(8);
    ommer.gas_limit += 1'000;
    EXPECT_EQ(check({ommer}), Verdict::OmmerHeader);
    ommer = sibling_branch(8);
    ommer.state_root = Hash32();  // never looked at
    EXPECT_EQ(check({ommer}), std::nullopt);
    ommer.difficulty = 1;
    EXPECT_EQ(check({ommer}), Verdict::OmmerHeader);
}

TEST(RejectUndecodableBlock, names_the_transaction_that_does_not_decode) {
    core::Block block = CancunBlock().block;
    block.txs.insert(block.txs.begin(), core::Tx());
    block.txs[1].to.reset();
    Bytes rlp;
    append_block(rlp, block);
    const auto decoded = core::decode_block(ByteView(rlp));
    ASSERT_FALSE(decoded);
    const Rejection rejection = reject_undecodable_block(rlp, decoded.error());
    EXPECT_EQ(rejection.verdict, Verdict::TxBlobCreate);
    EXPECT_EQ(rejection.text,
              "invalid transaction 1: rlp: input string too short for common.Address, decoding "
              "into (types.BlobTx).To");
    EXPECT_EQ(reject_undecodable_block(ByteView(rlp).sub(1), decoded.error()).verdict,
              Verdict::BlockUndecodable);
    EXPECT_EQ(reject_undecodable_block({}, core::RlpError::InputTooShort).verdict,
              Verdict::BlockUndecodable);
}

}  // namespace
}  // namespace keel::chain
