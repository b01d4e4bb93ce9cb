#include "core/growing_array.hpp"

#include <gtest/gtest.h>

namespace keel::core {
namespace {

TEST(GrowingArray, elements_stay_where_they_are) {
    GrowingArray<uint64_t> array;
    array.push_back(7);
    const uint64_t* const first = array.data();
    for (uint64_t i = 1; i < 1'000'000; ++i) array.push_back(7 + i);
    EXPECT_EQ(array.data(), first);
    ASSERT_EQ(array.size(), 1'000'000U);
    EXPECT_EQ(array[999'999], 1'000'006U);
}

TEST(GrowingArray, an_announced_number_comes_and_no_more) {
    GrowingArray<uint64_t> array(3);
    for (uint64_t i = 0; i < 3; ++i) array.push_back(i);
    EXPECT_EQ(array.span()[2], 2U);
    array.shrink(1);
    array.push_back(9);
    EXPECT_EQ(array[1], 9U);
    array.push_back(10);
    EXPECT_DEATH(array.push_back(11), "no more elements come than were announced");
}

TEST(GrowingArray, none_may_be_announced) {
    GrowingArray<uint64_t> array(0);
    EXPECT_TRUE(array.empty());
    EXPECT_TRUE(array.span().empty());
    EXPECT_DEATH(array.push_back(1), "no more elements come than were announced");
}

}  // namespace
}  // namespace keel::core
