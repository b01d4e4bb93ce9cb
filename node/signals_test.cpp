#include "node/signals.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace keel::node {
namespace {

TEST(StopGate, asks_running_work_to_stop_and_waits_for_its_end) {
    StopGate gate;
    std::atomic<bool> ended = false;
    std::atomic<bool> begun = false;
    std::thread work([&] {
        const StopGate::Work running(gate);
        begun = true;
        begun.notify_all();
        std::atomic<bool> asked = false;
        const std::stop_callback on_stop(running.token(), [&] {
            asked = true;
            asked.notify_all();
        });
        asked.wait(false);
        ended = true;
    });
    begun.wait(false);
    gate.stop_and_wait();
    EXPECT_TRUE(ended);
    work.join();
}

TEST(StopGate, without_work_it_does_not_wait) {
    StopGate gate;
    {
        const StopGate::Work done(gate);
    }
    gate.stop_and_wait();
}

}  // namespace
}  // namespace keel::node
