#include "state/trie/commitment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "core/fault.hpp"
#include "state/trie/eager_trie.hpp"
#include "state/trie/node.hpp"

namespace keel::state {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;

class MapNodes : public NodeReader {
  public:
    std::optional<ByteView> node(ByteView path) override {
        const auto found = rows.find(path.to_bytes());
        if (found == rows.end()) return std::nullopt;
        return ByteView(found->second);
    }
    void apply(const Commitment& commitment) {
        for (const auto& [path, rlp, before] : commitment.changes()) {
            const auto stored = node(path);
            EXPECT_EQ(before.has_value(), stored.has_value());
            if (before && stored) {
                EXPECT_EQ(*before, *stored);
            }
            if (rlp)
                rows[path.to_bytes()] = rlp->to_bytes();
            else
                EXPECT_EQ(rows.erase(path.to_bytes()), 1u);
        }
    }
    std::map<Bytes, Bytes> rows;
};

using Batch = std::map<Hash32, Bytes>;  // an empty value deletes

std::vector<TrieUpdate> updates_of(const Batch& batch) {
    std::vector<TrieUpdate> updates;
    for (const auto& [key, value] : batch)
        updates.push_back({key, value.empty() ? std::nullopt : std::optional(ByteView(value))});
    return updates;
}

/// How keys are drawn: `free_bytes` at the end vary over `byte_values`, so that long shared paths,
/// embedded nodes and collapses are common.
struct Keys {
    const char* name;
    size_t free_bytes;
    unsigned byte_values;
    size_t value_bytes_max;
    size_t batch_max;
};

uint64_t seed() {
    const char* given = std::getenv("KEEL_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

TEST(TrieLazy, equals_eager) {
    constexpr Keys kCases[] = {
        {"spread", 32, 256, 100, 40},        {"last bytes", 2, 4, 3, 6},
        {"last nibbles", 1, 256, 40, 12},    {"few keys", 2, 2, 4, 3},
        {"sparse extensions", 32, 2, 33, 8}, {"two ways deep", 6, 2, 5, 20},
    };
    for (const Keys& keys : kCases) {
        const uint64_t start = seed();
        SCOPED_TRACE(std::string(keys.name) + ", KEEL_SEED=" + std::to_string(start));
        std::mt19937_64 random(start);
        const auto below = [&random](size_t end) { return static_cast<size_t>(random() % end); };
        MapNodes stored;
        EagerTrie eager;
        std::vector<Hash32> used;
        for (int round = 0; round < 400; ++round) {
            const size_t deletions_of_ten = (round / 20) % 2 == 0 ? 3 : 7;
            Batch batch;
            const size_t size = below(keys.batch_max + 1);
            for (size_t at = 0; at < size; ++at) {
                Hash32 key;
                for (size_t byte = 32 - keys.free_bytes; byte < 32; ++byte)
                    key[byte] = static_cast<uint8_t>(below(keys.byte_values) * 17);
                const bool known = !used.empty() && below(2) == 0;
                if (known) key = used[below(used.size())];
                Bytes value;
                if (below(10) >= deletions_of_ten) {
                    value.resize(1 + below(keys.value_bytes_max));
                    for (auto& byte : value) byte = static_cast<uint8_t>(random());
                    used.push_back(key);
                }
                batch[key] = value;
            }
            for (const auto& [key, value] : batch) eager.insert(key, value);
            const auto updates = updates_of(batch);
            const Commitment commitment = Commitment::resolve(stored, updates);
            ASSERT_EQ(commitment.root(), eager.root()) << "round " << round;
            for (size_t at = 1; at < commitment.changes().size(); ++at)
                ASSERT_LT(commitment.changes()[at - 1].path, commitment.changes()[at].path);
            stored.apply(commitment);
            ASSERT_EQ(stored.rows, eager.nodes()) << "round " << round;
        }
    }
}

TEST(TrieLazy, root_of_no_keys_is_the_known_one) {
    MapNodes stored;
    EXPECT_EQ(Commitment::resolve(stored, {}).root(), empty_root());
    EXPECT_EQ(EagerTrie().root(), empty_root());
    const std::vector<TrieUpdate> deletion{{Hash32(), std::nullopt}};
    const Commitment commitment = Commitment::resolve(stored, deletion);
    EXPECT_EQ(commitment.root(), empty_root());
    EXPECT_TRUE(commitment.changes().empty());
    EXPECT_EQ(commitment.nodes_hashed(), 0u);
}

TEST(TrieLazy, writing_what_is_there_changes_no_row) {
    MapNodes stored;
    Batch batch;
    for (uint8_t at = 0; at < 50; ++at) {
        Hash32 key;
        key[0] = static_cast<uint8_t>(at * 5);
        key[1] = at;
        batch[key] = Bytes(40, static_cast<uint8_t>(at + 1));
    }
    const auto updates = updates_of(batch);
    const Commitment first = Commitment::resolve(stored, updates);
    stored.apply(first);
    const Commitment again = Commitment::resolve(stored, updates);
    EXPECT_EQ(again.root(), first.root());
    EXPECT_TRUE(again.changes().empty());
    EXPECT_EQ(Commitment::resolve(stored, {}).root(), first.root());
}

TEST(TrieLazy, each_touched_node_is_hashed_once) {
    MapNodes stored;
    Batch batch;
    for (unsigned at = 0; at < 256; ++at) {
        Hash32 key;
        key[0] = static_cast<uint8_t>(at);
        batch[key] = Bytes(40, 1);
    }
    stored.apply(Commitment::resolve(stored, updates_of(batch)));
    EXPECT_EQ(stored.rows.size(), 1u + 16u + 256u);
    const Batch two{{batch.begin()->first, Bytes(40, 2)}, {std::next(batch.begin())->first, {}}};
    const auto updates = updates_of(two);
    EXPECT_EQ(Commitment::resolve(stored, updates).nodes_hashed(), 3u);  // leaf, branch, root
}

TEST(TrieLazy, a_missing_or_broken_row_is_damage) {
    MapNodes stored;
    Batch batch;
    for (uint8_t at = 0; at < 3; ++at) {
        Hash32 key;
        key[0] = static_cast<uint8_t>(at << 4);
        batch[key] = Bytes(40, 1);
    }
    stored.apply(Commitment::resolve(stored, updates_of(batch)));
    const std::vector<TrieUpdate> deletion{{batch.begin()->first, std::nullopt}};
    stored.rows[Bytes{0}].pop_back();
    EXPECT_THROW(Commitment::resolve(stored, deletion), core::Fault);
    stored.rows.erase(Bytes{0});
    EXPECT_THROW(Commitment::resolve(stored, deletion), core::Fault);
}

}  // namespace
}  // namespace keel::state
