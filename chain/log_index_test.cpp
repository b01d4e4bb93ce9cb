#include "chain/log_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "crypto/keccak.hpp"
#include "db/open.hpp"

namespace keel::chain {
namespace {

core::Address address_of(uint64_t index) {
    return core::Address(crypto::keccak256(core::ByteView(std::to_string(index))));
}
core::Hash32 topic_of(uint64_t index) {
    return crypto::keccak256(core::ByteView("topic" + std::to_string(index)));
}

/// Receipts of made-up blocks, and where each address and topic stands.
class Logs {
  public:
    void append(db::WriteTxn& txn) {
        const uint64_t number = ++top;
        const BlockId block{number, crypto::keccak256(std::to_string(++made_))};
        std::vector<core::Receipt> receipts(random() % 3);
        for (core::Receipt& receipt : receipts) {
            for (uint64_t i = random() % 3; i > 0; --i) {
                core::Log& log = receipt.logs.emplace_back();
                const uint64_t who = random() % 4;
                log.address = address_of(who);
                by_address[who].insert(number);
                for (size_t position = random() % 5; position > 0; --position) {
                    log.topics.emplace_back();
                }
                for (size_t position = 0; position < log.topics.size(); ++position) {
                    const uint64_t what = random() % 3;
                    log.topics[position] = topic_of(what);
                    by_topic[{what, position}].insert(number);
                }
            }
        }
        put_receipts(txn, tables, block, receipts);
        put_canonical(txn, tables, block, {});
        blocks.push_back(block);
    }
    void unwind(db::WriteTxn& txn, uint64_t count) {
        std::vector<BlockId> gone;
        for (; count > 0; --count, --top) {
            if (top <= indexed) gone.push_back(blocks.back());
            remove_canonical(txn, tables, blocks.back(), {});
            blocks.pop_back();
        }
        unindex_logs(txn, tables, gone, top);
        indexed = std::min(indexed, top);
        const auto forget = [&](auto& sets) {
            for (auto& [key, numbers] : sets) {
                numbers.erase(numbers.upper_bound(top), numbers.end());
            }
        };
        forget(by_address);
        forget(by_topic);
    }
    void index(db::WriteTxn& txn, uint64_t last) {
        index_logs(txn, tables, indexed + 1, last + 1);
        indexed = last;
    }

    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    std::mt19937_64 random{9};
    uint64_t top = 0;
    uint64_t indexed = 0;
    std::vector<BlockId> blocks;
    std::map<uint64_t, std::set<uint64_t>> by_address;
    std::map<std::pair<uint64_t, size_t>, std::set<uint64_t>> by_topic;

  private:
    uint64_t made_ = 0;
};

TEST(LogIndex, finds_every_block_with_an_address_or_a_topic_at_its_position) {
    Logs logs;
    const auto expected = [&](const std::set<uint64_t>& numbers, uint64_t above) {
        const auto found = numbers.upper_bound(above);
        return found == numbers.end() || *found > logs.indexed ? std::nullopt
                                                               : std::optional(*found);
    };
    logs.database.update([&](db::WriteTxn& txn) {
        for (int step = 0; step < 200; ++step) {
            const uint64_t kind = logs.random() % 10;
            if (kind < 6) {
                for (uint64_t i = logs.random() % 20; i > 0; --i) logs.append(txn);
            } else if (kind < 8) {
                logs.index(txn, logs.indexed + logs.random() % (logs.top - logs.indexed + 1));
            } else {
                logs.unwind(txn, logs.random() % (std::min<uint64_t>(logs.top, 40) + 1));
            }
            const uint64_t above = logs.random() % (logs.top + 1);
            for (uint64_t who = 0; who < 5; ++who) {
                ASSERT_EQ(next_block_with(txn, logs.tables, address_of(who), above),
                          expected(logs.by_address[who], above));
            }
            for (uint64_t what = 0; what < 4; ++what) {
                for (size_t position = 0; position < 4; ++position) {
                    ASSERT_EQ(next_block_with(txn, logs.tables, topic_of(what), position, above),
                              expected(logs.by_topic[{what, position}], above));
                }
            }
        }
        logs.unwind(txn, logs.top);
        EXPECT_EQ(txn.count(logs.tables.log_index), 0u);
    });
}

}  // namespace
}  // namespace keel::chain
