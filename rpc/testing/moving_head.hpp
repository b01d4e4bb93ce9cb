#pragma once

// A small store whose head can be moved to and fro, and to a branch beside block 1.

#include "rpc/testing/small_store.hpp"

namespace keel::rpc {

struct MovingHead : SmallStore {
    chain::BlockId sibling;  // of block 1, with no transactions

    MovingHead() {
        core::Block block;
        block.header.number = 1;
        block.header.timestamp = 1011;
        block.header.gas_limit = 30'000'000;
        block.header.base_fee = core::U256(1'000'000'000);
        block.header.withdrawals_root = core::kEmptyTrieRoot;
        block.header.parent_hash = blocks[0].hash;
        block.withdrawals.emplace();
        core::Bytes rlp;
        core::append_block(rlp, block);
        auto sealed = crypto::seal(rlp);
        sibling = {.number = 1, .hash = sealed->hash};
        database.update(
            [&](db::WriteTxn& txn) { chain::put_block(txn, tables, *sealed, core::U256(0)); });
    }

    /// Block `number` of the chain that the store began with becomes head.
    void set_head(uint64_t number) {
        database.update([&](db::WriteTxn& txn) {
            remove_all(txn);
            for (uint64_t n = 1; n <= number; ++n) {
                chain::put_canonical(txn, tables, blocks[n], hashes_of(n));
            }
            chain::put_position(txn, tables, chain::setting::kHead, blocks[number]);
        });
    }
    void set_head_to_sibling() {
        database.update([&](db::WriteTxn& txn) {
            remove_all(txn);
            chain::put_canonical(txn, tables, sibling, {});
            chain::put_position(txn, tables, chain::setting::kHead, sibling);
        });
    }

  private:
    std::vector<core::Hash32> hashes_of(uint64_t number) const {
        return number == 1 ? tx_hashes : std::vector<core::Hash32>();
    }
    void remove_all(db::WriteTxn& txn) {
        const chain::BlockReader reader(txn, tables);
        const chain::BlockId head = reader.head().value();
        for (uint64_t n = head.number; n > 0; --n) {
            const chain::BlockId id{n, reader.canonical_hash(n).value()};
            chain::remove_canonical(txn, tables, id,
                                    id == sibling ? std::vector<core::Hash32>() : hashes_of(n));
        }
    }
};

}  // namespace keel::rpc
