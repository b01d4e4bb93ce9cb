#include "node/progress.hpp"

#include <gtest/gtest.h>

namespace keel::node {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

TEST(Progress, a_line_has_rates_and_what_is_left) {
    const Progress half{
        .blocks = 500, .gas = 9, .number = 512, .input_done = 50, .input_total = 100};
    EXPECT_EQ(progress_line(half, {.blocks_per_s = 62, .mgas_per_s = 1.25}, 8 * kSecondNs),
              "import_progress number=512 blocks=500 blocks_per_s=62 mgas_per_s=1.2 elapsed_s=8 "
              "percent=50 eta_s=8");
    const Progress unknown{.blocks = 500, .number = 512};
    EXPECT_EQ(progress_line(unknown, {}, kSecondNs),
              "import_progress number=512 blocks=500 blocks_per_s=0 mgas_per_s=0.0 elapsed_s=1");
}

TEST(Progress, a_bar_fits_its_columns) {
    const Progress half{.blocks = 1, .gas = 0, .number = 7, .input_done = 1, .input_total = 2};
    const std::string whole =
        progress_bar(half, {.blocks_per_s = 3, .mgas_per_s = 4}, kSecondNs, 99);
    EXPECT_EQ(whole, "[##########..........]  50 %  block 7  3 blocks/s  4.0 Mgas/s  0:01 left");
    for (size_t columns = 0; columns < 90; ++columns) {
        const std::string bar = progress_bar(half, {}, kSecondNs, columns);
        EXPECT_LE(bar.size(), columns);
    }
}

}  // namespace
}  // namespace keel::node
