#include "db/lmdb/writer_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace keel::db::lmdb {
namespace {

using Turn = WriterQueue::Turn;
using namespace std::chrono_literals;

TEST(WriterQueue, the_right_goes_round_in_the_order_of_asking) {
    WriterQueue queue;
    ASSERT_EQ(queue.acquire(1, {}, kNever), Turn::Taken);
    std::vector<uint64_t> order;  // under the right to write
    std::vector<std::jthread> threads;
    for (uint64_t self = 2; self < 8; ++self) {
        threads.emplace_back([&queue, &order, self] {
            ASSERT_EQ(queue.acquire(self, {}, kNever), Turn::Taken);
            order.push_back(self);
            queue.release();
        });
        while (queue.waiting() != self - 1) std::this_thread::yield();
    }
    EXPECT_EQ(queue.try_acquire(9), Turn::Busy) << "held";
    queue.release();
    threads.clear();
    EXPECT_EQ(order, (std::vector<uint64_t>{2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(queue.try_acquire(9), Turn::Taken);
}

TEST(WriterQueue, who_holds_it_is_told_busy_and_who_waits_can_give_up) {
    WriterQueue queue;
    ASSERT_EQ(queue.try_acquire(1), Turn::Taken);
    EXPECT_EQ(queue.acquire(1, {}, kNever), Turn::Busy);
    EXPECT_EQ(queue.acquire(2, {}, std::chrono::steady_clock::now() + 1ms), Turn::Busy);
    std::stop_source stop;
    std::atomic<Turn> turn = Turn::Taken;
    {
        const std::jthread waiter([&] { turn = queue.acquire(3, stop.get_token(), kNever); });
        while (queue.waiting() != 1) std::this_thread::yield();
        stop.request_stop();
    }
    EXPECT_EQ(turn, Turn::Cancelled);
    EXPECT_EQ(queue.waiting(), 0u);
    queue.release();
    EXPECT_EQ(queue.try_acquire(2), Turn::Taken);
}

TEST(WriterQueue, closing_sends_waiters_away_and_waits_for_the_holder_until_the_deadline) {
    WriterQueue queue;
    ASSERT_EQ(queue.try_acquire(1), Turn::Taken);
    std::atomic<Turn> turn = Turn::Taken;
    {
        const std::jthread waiter([&] { turn = queue.acquire(2, {}, kNever); });
        while (queue.waiting() != 1) std::this_thread::yield();
        EXPECT_FALSE(queue.close(1, kNever)) << "the holder itself would wait for ever";
    }
    EXPECT_EQ(turn, Turn::Closed);
    EXPECT_FALSE(queue.close(3, std::chrono::steady_clock::now() + 1ms));
    const std::jthread holder([&] {
        std::this_thread::sleep_for(5ms);
        queue.release();
    });
    EXPECT_TRUE(queue.close(3, std::chrono::steady_clock::now() + 10s));
    EXPECT_EQ(queue.try_acquire(3), Turn::Closed);
}

}  // namespace
}  // namespace keel::db::lmdb
