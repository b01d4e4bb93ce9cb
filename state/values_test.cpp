#include "state/values.hpp"

#include <gtest/gtest.h>

#include "core/fault.hpp"
#include "state/testing/model_state.hpp"

namespace keel::state {
namespace {

TEST(Values, encode_and_decode_to_themselves) {
    std::mt19937_64 random(7);
    testing::ModelState state;
    for (int round = 0; round < 200; ++round) {
        const testing::ModelState next = testing::random_successor(state, random);
        const ChangeSet changes = testing::difference(state, next);
        core::Bytes row;
        append_after_values(row, changes);
        const Values after = after_values(changes);
        EXPECT_EQ(decode_values(row), after);
        core::Bytes again;
        append_values(again, after);
        EXPECT_EQ(row, again);
        state = next;
    }
}

TEST(Values, lie_in_a_row_as_documented) {
    Values values;
    AccountValue present;
    present.address = core::Address(std::array<uint8_t, 20>{0x11});
    present.account.emplace();
    present.account->nonce = 1;
    present.account->balance = core::U256(2);
    present.slot_count = 2;
    AccountValue absent;
    absent.address = core::Address(std::array<uint8_t, 20>{0x22});
    absent.first_slot = 2;
    values.accounts = {present, absent};
    values.slots = {{0, 0x1234}, {5, 0}};
    core::Bytes row;
    append_values(row, values);

    core::Bytes expected(present.address.bytes.begin(), present.address.bytes.end());
    const core::Bytes slim = {0xc4, 0x01, 0x02, 0x80, 0x80};
    expected.push_back(static_cast<uint8_t>(slim.size()));
    core::append(expected, slim);
    core::append(expected, core::Bytes{2, /**/ 0, 2, 0x12, 0x34, /**/ 1, 5, 0});
    core::append(expected, absent.address);
    core::append(expected, core::Bytes{0, 0});
    EXPECT_EQ(row, expected);
}

TEST(Values, a_row_cut_off_anywhere_is_damaged) {
    Values values;
    AccountValue account;
    account.account.emplace().nonce = 300;
    account.slot_count = 1;
    values.accounts = {account};
    values.slots = {{7, 8}};
    core::Bytes row;
    append_values(row, values);
    for (size_t size = 1; size < row.size(); ++size) {
        EXPECT_THROW(decode_values(core::ByteView(row).sub(0, size)), core::Fault) << size;
    }
}

}  // namespace
}  // namespace keel::state
