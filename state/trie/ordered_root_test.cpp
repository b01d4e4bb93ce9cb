#include "state/trie/ordered_root.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/rlp.hpp"
#include "state/trie/eager_trie.hpp"
#include "state/trie/node.hpp"

namespace keel::state {
namespace {

using core::Bytes;
using core::ByteView;

TEST(OrderedRoot, of_nothing_is_the_empty_root) {
    EXPECT_EQ(ordered_root({}), empty_root());
}

TEST(OrderedRoot, equals_the_trie_of_indices_at_every_size) {
    for (const size_t value_bytes : {size_t{1}, size_t{3}, size_t{30}, size_t{120}}) {
        std::vector<Bytes> values;
        EagerTrie trie;
        for (size_t index = 0; index < 700; ++index) {
            Bytes value(value_bytes, static_cast<uint8_t>(index * 7 + 1));
            if (index % 5 == 0) value.push_back(static_cast<uint8_t>(index));
            values.push_back(value);
            Bytes key;
            core::rlp_append_uint(key, index);
            trie.insert(key, value);
            const bool edge = index < 20 || (index > 120 && index < 140) || index % 64 == 0 ||
                              (index > 250 && index < 260);
            if (!edge) continue;
            const std::vector<ByteView> views(values.begin(), values.end());
            ASSERT_EQ(ordered_root(views), trie.root()) << index + 1 << " of " << value_bytes;
        }
    }
}

TEST(OrderedRoot, of_values_in_two_parts_is_that_of_the_joined_ones) {
    for (const size_t count : {1, 2, 5, 60, 130, 300}) {
        std::vector<Bytes> values;
        for (size_t index = 0; index < count; ++index) {
            // Small and large second parts, and none.
            const size_t size = index % 7 == 0 ? 5000 + index : index % 3 == 0 ? 2 : 300 + index;
            values.emplace_back(size, static_cast<uint8_t>(index + 1));
        }
        std::vector<ByteView> whole(values.begin(), values.end());
        std::vector<crypto::TwoParts> parts;
        for (size_t index = 0; index < count; ++index) {
            const size_t cut = index % 11 == 5 ? whole[index].size() : 1 + index % 2;
            parts.push_back({whole[index].sub(0, cut), whole[index].sub(cut)});
        }
        EXPECT_EQ(ordered_root_of_parts(parts), ordered_root(whole)) << count;
    }
}

}  // namespace
}  // namespace keel::state
