#include "node/runners/alloc.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"

namespace keel::node::runners {
namespace {

Alloc parse(std::string_view json) {
    simdjson::dom::parser parser;
    return read_alloc(parser.parse(json).value().get_object().value());
}

constexpr std::string_view kTwo = R"({
    "0x0000000000000000000000000000000000000001": {"balance": "0x0a", "nonce": "0x01",
        "code": "0x6001", "storage": {"0x01": "0x02", "0x05": "0x06"}},
    "0x0000000000000000000000000000000000000002": {"balance": "0x00", "nonce": "0x00"}})";

TEST(Alloc, the_root_of_no_account_is_that_of_the_empty_trie) {
    EXPECT_EQ(AllocState({}).root(), core::kEmptyTrieRoot);
}

// The accounts and the root of hive's smoke genesis "precomp-empty": an empty account counts.
TEST(Alloc, an_empty_account_is_part_of_the_root) {
    EXPECT_NE(AllocState(parse(R"({"0x0000000000000000000000000000000000000003": {}})")).root(),
              core::kEmptyTrieRoot);
}

TEST(Alloc, what_was_given_is_read_back) {
    AllocState state(parse(kTwo));
    const core::Address one = read_address("0x0000000000000000000000000000000000000001");
    const core::Address two = read_address("0x0000000000000000000000000000000000000002");
    const core::Address three = read_address("0x0000000000000000000000000000000000000003");
    const auto account = state.account(one);
    ASSERT_TRUE(account);
    EXPECT_EQ(account->balance, core::U256(10));
    EXPECT_EQ(account->nonce, 1u);
    const auto code = state.code(account->code_hash);
    ASSERT_TRUE(code);
    EXPECT_EQ(core::to_hex(*code), "6001");
    EXPECT_EQ(state.storage(one, 1), core::U256(2));
    EXPECT_EQ(state.storage(one, 2), core::U256());
    EXPECT_EQ(state.storage(two, 1), core::U256());
    std::map<core::U256, core::U256> slots;
    state.each_slot(one,
                    [&](const core::U256& slot, const core::U256& value) { slots[slot] = value; });
    EXPECT_EQ(slots, (std::map<core::U256, core::U256>{{1, 2}, {5, 6}}));
    EXPECT_TRUE(state.account(two));
    EXPECT_FALSE(state.account(three));
}

// The oracle is the root of the whole later state, built from nothing.
TEST(Alloc, changes_on_its_tries_lead_to_the_root_of_the_later_state) {
    const Alloc before = parse(kTwo);
    AllocState state(before);
    state::ChangeSet changes;
    const core::Address one = read_address("0x0000000000000000000000000000000000000001");
    const core::Address two = read_address("0x0000000000000000000000000000000000000002");
    auto after = *state.account(one);
    after.balance = 11;
    changes.slots = {{1, 2, 0}, {9, 0, 3}};
    changes.accounts = {{one, state.account(one), after, 0, 2},
                        {two, state.account(two), std::nullopt, 2, 0}};
    const core::Hash32 root = state::resolve_state_root(state, changes, nullptr);

    const Alloc later = applied(before, changes);
    EXPECT_EQ(first_difference(parse(R"({"0x0000000000000000000000000000000000000001":
        {"balance": "0x0b", "nonce": "0x01", "code": "0x6001",
         "storage": {"0x05": "0x06", "0x09": "0x03"}}})"),
                               later),
              std::nullopt);
    EXPECT_EQ(root, AllocState(later).root());
}

TEST(Alloc, the_first_difference_names_account_field_and_both_values) {
    const Alloc want = parse(kTwo);
    const std::string one = "account 0x0000000000000000000000000000000000000001: ";
    const std::string two = "account 0x0000000000000000000000000000000000000002: ";
    const struct {
        void (*change)(Alloc&);
        std::string difference;
    } cases[] = {
        {[](Alloc& alloc) { alloc.begin()->second.balance = 5; },
         one + "balance is 0x5, expected 0xa"},
        {[](Alloc& alloc) { alloc.begin()->second.nonce = 2; }, one + "nonce is 0x2, expected 0x1"},
        {[](Alloc& alloc) { alloc.begin()->second.code = {0x60}; },
         one + "code is 0x60, expected 0x6001"},
        {[](Alloc& alloc) { alloc.begin()->second.storage.erase(1); },
         one + "slot 0x1 is 0x0, expected 0x2"},
        {[](Alloc& alloc) { alloc.begin()->second.storage[3] = 4; },
         one + "slot 0x3 is 0x4, expected 0x0"},
        {[](Alloc& alloc) { alloc.begin()->second.storage[5] = 7; },
         one + "slot 0x5 is 0x7, expected 0x6"},
        {[](Alloc& alloc) { alloc.erase(std::prev(alloc.end())); }, two + "is missing"},
        {[](Alloc& alloc) { alloc[core::Address()].nonce = 1; },
         "account 0x0000000000000000000000000000000000000000: is there, not expected"},
    };
    EXPECT_EQ(first_difference(want, want), std::nullopt);
    for (const auto& test : cases) {
        Alloc have = want;
        test.change(have);
        EXPECT_EQ(first_difference(want, have), test.difference);
    }
}

}  // namespace
}  // namespace keel::node::runners
