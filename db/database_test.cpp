#include "db/database.hpp"

#include <gtest/gtest.h>

#include "db/error.hpp"

namespace keel::db {
namespace {

TEST(NextPrefix, is_the_first_key_behind_all_keys_with_the_prefix) {
    EXPECT_EQ(next_prefix(ByteView("a")), Bytes{'b'});
    EXPECT_EQ(next_prefix(ByteView("a\xff")), Bytes{'b'});
    EXPECT_EQ(next_prefix(ByteView("\xff\xff")), std::nullopt);
    EXPECT_EQ(next_prefix(ByteView("")), std::nullopt);
    EXPECT_EQ(next_prefix(ByteView("a\xfe\xff")), (Bytes{'a', 0xff}));
}

TEST(ReadTxn, answers_txn_ended_when_it_holds_none) {
    const ReadTxn txn;
    try {
        txn.view_id();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::TxnEnded);
        EXPECT_EQ(error.exit_code(), 1);
    }
}

}  // namespace
}  // namespace keel::db
