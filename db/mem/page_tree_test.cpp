#include "db/mem/page_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

namespace keel::db::mem {
namespace {

constexpr uint64_t kRange = uint64_t{1} << 30;

std::string text(ByteView view) {
    return std::string(view.text());
}

/// Walks the whole tree and checks T1, P5, P6 and the table's figures.
class TreeCheck {
  public:
    TreeCheck(const PageSpace& space, const Tree& tree) : space_(space), tree_(tree) {
        if (tree.root == kNoPage) {
            EXPECT_EQ(tree.depth, 0);
            EXPECT_EQ(tree.entries, 0U);
            EXPECT_EQ(tree.keys, 0U);
            EXPECT_EQ(tree.leaf_pages + tree.branch_pages + tree.overflow_pages, 0U);
            return;
        }
        const uint64_t entries = walk(tree.root, tree.depth - 1U, std::nullopt, std::nullopt);
        EXPECT_EQ(entries, tree.entries);
        EXPECT_EQ(keys_, tree.keys);
        EXPECT_EQ(leaves_, tree.leaf_pages);
        EXPECT_EQ(branches_, tree.branch_pages);
        EXPECT_EQ(overflow_, tree.overflow_pages);
    }

  private:
    using Pair = std::pair<std::string, std::string>;

    uint64_t walk(PageNo number, size_t level, const std::optional<Pair>& from,
                  const std::optional<Pair>& to) {
        const uint8_t* const page = space_.tree_page(number, level);
        EXPECT_EQ(page_fault(page), nullptr);
        uint64_t entries = 0;
        if (level == 0) {
            ++leaves_;
            for (size_t i = 0; i < header(page).count; ++i) {
                const LeafRecord record = leaf_record(page, i);
                const Pair pair = {text(record.key), tree_.dup ? text(record.value) : ""};
                EXPECT_TRUE(!from || *from <= pair);
                EXPECT_TRUE(!to || pair < *to);
                EXPECT_TRUE(!last_ || *last_ < pair);
                if (!last_ || last_->first != pair.first) ++keys_;
                last_ = pair;
                EXPECT_EQ(heads(page)[i], head_of(record.key, header(page).prefix_bytes));
                if (record.run != kNoPage) overflow_ += run_pages(record.run_bytes);
            }
            return header(page).count;
        }
        ++branches_;
        std::optional<Pair> child_from = from;
        for (size_t i = 0; i < header(page).count; ++i) {
            std::optional<Pair> child_to = to;
            if (i + 1U < header(page).count) {
                uint8_t buffer[kKeyBytesMax];
                const Separator separator = branch_separator(page, i + 1, buffer);
                child_to = Pair{text(separator.key), text(separator.value)};
            }
            const uint64_t below = walk(links(page)[i].child, level - 1, child_from, child_to);
            EXPECT_EQ(below, links(page)[i].count());
            entries += below;
            child_from = child_to;
        }
        return entries;
    }

    const PageSpace& space_;
    const Tree& tree_;
    std::optional<Pair> last_;
    uint64_t keys_ = 0, leaves_ = 0, branches_ = 0, overflow_ = 0;
};

struct Shape {
    const char* name;
    bool dup;
    size_t prefix_bytes;  // all keys share them in groups of few
    size_t key_bytes_max;
    size_t value_bytes_max;
    size_t rows_max;
};

class PageTreeRandom : public ::testing::TestWithParam<Shape> {};

// As text, which orders like bytes: g++ 12 warns at the order of vectors (GCC bug 105329).
using Content = std::set<std::pair<std::string, std::string>>;

Bytes random_bytes(std::mt19937_64& random, size_t size_max, bool few) {
    static constexpr std::array<uint8_t, 4> kFew = {0x00, 0x01, 0x61, 0xff};
    Bytes bytes(random() % (size_max + 1));
    for (uint8_t& byte : bytes)
        byte = few ? kFew[random() % kFew.size()] : static_cast<uint8_t>(random());
    return bytes;
}

/// Content of a tree by a forward scan.
Content scan(const PageSpace& space, const Tree& tree) {
    Content content;
    Path path;
    if (!descend_first(space, tree, path)) return content;
    do {
        const LeafRecord record = record_at(space, path);
        content.emplace(text(record.key), text(space.value(record)));
    } while (step_next(space, path));
    return content;
}

TEST_P(PageTreeRandom, agrees_with_an_ordered_map_over_commits_and_aborts) {
    const Shape& shape = GetParam();
    const uint64_t seed = 20240229;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    PageSpace space(kRange);
    OwnedPages pages(space, 0);
    TreeEditor editor(pages);
    Tree tree = {.dup = shape.dup};
    Content content;
    const auto make_key = [&] {
        Bytes key(random() % 3 == 0 ? 0 : shape.prefix_bytes, static_cast<uint8_t>(random() % 3));
        core::append(key, random_bytes(random, shape.key_bytes_max - key.size(),
                                       shape.key_bytes_max < 8 || random() % 2 == 0));
        return key;
    };
    uint64_t commit = 0;
    for (int txn = 0; txn < 120; ++txn) {
        const Tree tree_before = tree;
        const Content content_before = content;
        pages.begin(commit + 1);
        const bool shrink = content.size() > shape.rows_max || (txn % 40) > 30;
        for (int step = 0; step < 200; ++step) {
            const Bytes key = make_key();
            const Bytes value = random_bytes(random, shape.value_bytes_max, shape.dup);
            Path path;
            const Target target = {key, shape.dup ? ByteView(value) : ByteView()};
            const uint64_t choice = random() % 10;
            if (choice < (shrink ? 2U : 7U)) {
                const bool exact = descend(space, tree, target, path);
                if (!exact) {
                    editor.insert(tree, path, key, value);
                    content.emplace(text(key), text(value));
                } else if (!shape.dup) {
                    const auto old = content.lower_bound({text(key), {}});
                    content.erase(old);
                    content.emplace(text(key), text(value));
                    editor.replace(tree, path, value);
                }
            } else if (choice < 9 || content.empty()) {
                // An entry near a random place.
                descend(space, tree, target, path);
                if (!settle(space, path)) continue;
                const LeafRecord record = record_at(space, path);
                content.erase({text(record.key), text(space.value(record))});
                editor.erase_one(tree, path);
            } else if (step % 20 == 0) {
                Bytes from = make_key();
                Bytes to = make_key();
                if (ByteView(to) < ByteView(from)) std::swap(from, to);
                const auto first = content.lower_bound({text(from), {}});
                const auto last = content.lower_bound({text(to), {}});
                const Target behind = {to};
                const auto expected = static_cast<uint64_t>(std::distance(first, last));
                if (expected > 300 && !shrink) continue;
                EXPECT_EQ(editor.erase_range(tree, {from}, &behind), expected);
                content.erase(first, last);
            }
        }
        if (random() % 5 == 0) {
            pages.abort();
            tree = tree_before;
            content = content_before;
        } else {
            pages.commit({});
            ++commit;
        }
        TreeCheck check(space, tree);
        ASSERT_EQ(scan(space, tree), content) << "txn " << txn;
        ASSERT_FALSE(testing::Test::HasFailure()) << "txn " << txn;
        for (int i = 0; i < 20; ++i) {
            const Bytes key = make_key();
            const auto at = content.lower_bound({text(key), {}});
            const bool there = at != content.end() && at->first == text(key);
            const auto got = tree_get(space, tree, key);
            ASSERT_EQ(got.has_value(), there);
            if (there) {
                ASSERT_EQ(text(*got), at->second);
            }
            ASSERT_EQ(rank(space, tree, {key}),
                      static_cast<uint64_t>(std::distance(content.begin(), at)));
        }
    }
    // Backwards too.
    Path path;
    if (descend_last(space, tree, path)) {
        auto expected = content.rbegin();
        do {
            ASSERT_EQ(text(record_at(space, path).key), expected->first);
            ++expected;
        } while (step_prev(space, path));
        ASSERT_EQ(expected, content.rend());
    }
    pages.begin(commit + 1);
    editor.clear(tree);
    pages.commit({});
    TreeCheck check(space, tree);
    EXPECT_EQ(pages.free_bytes(), pages.anonymous_bytes()) << "a page was lost";
}

INSTANTIATE_TEST_SUITE_P(Shapes, PageTreeRandom,
                         ::testing::Values(Shape{"short_keys", false, 0, 4, 20, 3000},
                                           Shape{"long_keys", false, 0, 510, 300, 3000},
                                           Shape{"shared_prefix", false, 40, 60, 40, 6000},
                                           Shape{"long_prefix", false, 400, 510, 10, 2000},
                                           Shape{"large_values", false, 0, 12, 9000, 800},
                                           Shape{"dup_short", true, 0, 3, 4, 4000},
                                           Shape{"dup_groups", true, 0, 1, 40, 6000},
                                           Shape{"dup_long", true, 300, 510, 510, 1500}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(PageTree, ascending_keys_fill_their_pages) {
    PageSpace space(kRange);
    OwnedPages pages(space, 0);
    TreeEditor editor(pages);
    Tree tree;
    pages.begin(1);
    constexpr uint32_t kRows = 100'000;
    const Bytes value(60, 7);
    for (uint32_t row = 0; row < kRows; ++row) {
        uint8_t key[8] = {};
        core::store_be(key, uint64_t{row});
        Path path;
        if (descend_last(space, tree, path)) ++path.index[path.leaf()];
        editor.insert(tree, path, {key, 8}, value);
    }
    TreeCheck check(space, tree);
    const uint64_t bytes = uint64_t{kRows} * (kLeafEntryBytes + kRecordHeadBytes + 8 + 60);
    EXPECT_GE(static_cast<double>(bytes), 0.9 * static_cast<double>(tree.leaf_pages * kBodyBytes));
}

// A leaf was given back before its division was linked, and the new root took its page at once, in
// which the separator still stood. Whether that shows depends on the entry that the separator comes
// from: here its key, put at the page's end as the root's prefix, lies where its value was.
TEST(PageTree, a_separator_outlives_the_page_that_its_leaf_was_divided_in) {
    constexpr uint8_t kValues = 40;
    std::mt19937_64 random(7);
    std::vector<uint8_t> order(kValues);
    std::iota(order.begin(), order.end(), uint8_t{0});
    const Bytes key(150, 'k');
    for (int tries = 0; tries < 200; ++tries) {
        SCOPED_TRACE(tries);
        std::ranges::shuffle(order, random);
        PageSpace space(kRange);
        OwnedPages pages(space, 0);
        TreeEditor editor(pages);
        Tree tree = {.dup = true};
        Content content;
        pages.begin(1);
        for (const uint8_t number : order) {
            Bytes value(100, 'v');
            value.push_back(number);
            Path path;
            ASSERT_FALSE(descend(space, tree, {key, value}, path));
            editor.insert(tree, path, key, value);
            content.emplace(text(key), text(value));
        }
        ASSERT_EQ(tree.depth, 2);
        TreeCheck check(space, tree);
        ASSERT_EQ(scan(space, tree), content);
        for (const auto& [stored_key, value] : content) {
            Path path;
            const Target target = {ByteView(stored_key), ByteView(value)};
            ASSERT_TRUE(descend(space, tree, target, path)) << "a value is not found";
        }
        ASSERT_FALSE(testing::Test::HasFailure());
    }
}

TEST(OwnedPages, replaced_pages_wait_for_exactly_the_readers_that_see_them) {
    PageSpace space(kRange);
    OwnedPages pages(space, 0);
    pages.begin(1);
    const PageNo first = pages.allocate();
    pages.commit({});
    pages.begin(2);
    const PageNo second = pages.make_owned(first);
    const std::vector<uint64_t> reader = {1};
    pages.commit(reader);
    EXPECT_EQ(pages.pinned_bytes(), kPageBytes);
    EXPECT_EQ(pages.pinned_bytes_by(1), kPageBytes);
    EXPECT_EQ(pages.pinned_bytes_by(2), 0U);
    // Born and replaced after the reader's commit: free at once.
    pages.begin(3);
    const PageNo third = pages.make_owned(second);
    pages.commit(reader);
    EXPECT_EQ(pages.pinned_bytes(), kPageBytes);
    EXPECT_EQ(pages.free_bytes(), kPageBytes);
    pages.begin(4);
    EXPECT_EQ(pages.make_owned(third), second) << "last in, first out";
    pages.commit({});
    EXPECT_EQ(pages.pinned_bytes(), 0U);
}

TEST(OwnedPages, says_map_full_at_the_limit) {
    PageSpace space(kRange);
    OwnedPages pages(space, 16 * kPageBytes);
    pages.begin(1);
    try {
        for (int i = 0; i < 20; ++i) pages.allocate();
        FAIL() << "no limit";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::MapFull);
    }
    pages.abort();
    pages.begin(1);
    EXPECT_NE(pages.allocate_run(1), kNoPage);
}

TEST(RunPool, joins_neighbours_and_cuts_the_smallest_that_fits) {
    RunPool pool;
    pool.put(10, 5);
    pool.put(20, 10);
    pool.put(15, 5);
    EXPECT_EQ(pool.pages(), 20U);
    EXPECT_EQ(pool.take(20), 10U);
    EXPECT_EQ(pool.take(1), kNoPage);
    pool.put(100, 3);
    pool.put(200, 8);
    EXPECT_EQ(pool.take(3), 100U);
    EXPECT_EQ(pool.take(3), 200U);
    EXPECT_EQ(pool.pages(), 5U);
}

}  // namespace
}  // namespace keel::db::mem
