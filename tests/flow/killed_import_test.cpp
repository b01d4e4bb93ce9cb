// An import killed at any moment: the next start has every block that was acknowledged, and what is
// finished then is what an undisturbed import leaves. 100 moments with KEEL_TORTURE=full, fewer
// else.

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>

#include "tests/contract/kv_contract.hpp"
#include "tests/flow/flow.hpp"
#include "tests/torture/counts.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;

constexpr const char* kChain = KEEL_SOURCE_DIR "/testdata/chains/main.rlp";
constexpr uint64_t kBlocks = 68;
constexpr std::string_view kCommitted = "batch_committed number=";

template <class Tag>
class FlowKilledImport : public Flow<Tag> {};
TYPED_TEST_SUITE(FlowKilledImport, BothBackends, BackendNames);

/// Number in the last `batch_committed number=N`; 0: none.
uint64_t acknowledged_in(const std::string& output) {
    const size_t at = output.rfind(kCommitted);
    // The last line may be cut.
    if (at == std::string::npos || output.find(' ', at + kCommitted.size()) == std::string::npos)
        return 0;
    return std::stoull(output.substr(at + kCommitted.size()));
}

TYPED_TEST(FlowKilledImport, every_acknowledged_block_is_there_at_the_next_start) {
    using Clock = std::chrono::steady_clock;
    const size_t kills = full() ? 100 : 8;
    const std::string genesis = KEEL_SOURCE_DIR "/testdata/genesis/main.json";
    const auto import_in_batches = [&] {
        // Whenever 2,000 bytes have changed: about a block.
        return ChildProcess({KEEL_FLOW_CHILD, this->folder.datadir(), kChain, "batches", "2000"});
    };
    this->init(genesis);
    const Clock::time_point began = Clock::now();
    size_t batches = 0;
    {
        ChildProcess child = import_in_batches();
        ASSERT_EQ(child.wait(), 0) << child.output();
        ASSERT_EQ(acknowledged_in(child.output()), kBlocks) << child.output();
        const std::string& output = child.output();
        for (size_t at = 0; (at = output.find(kCommitted, at)) != std::string::npos; ++at)
            ++batches;
    }
    const Clock::duration batch_time = (Clock::now() - began) / batches;
    const std::string digest = this->folder.digest();

    db::testing::Random random(db::testing::process_seed());
    SCOPED_TRACE(fmt::format("KEEL_SEED={}", db::testing::process_seed()));
    size_t killed = 0;
    uint64_t least = kBlocks;
    uint64_t most = 0;
    size_t tries = 0;
    Counts counts(fmt::format("import killed at a random moment, {}", this->backend()), "kills");
    while (killed < kills && tries++ < 3 * kills) {
        std::filesystem::remove_all(this->folder.datadir());
        this->init(genesis);
        ChildProcess child = import_in_batches();
        // Somewhere behind one of its batches. How long a run takes is no measure: the next one may
        // be done in half of it.
        for (size_t batch = random.below(batches); batch > 0; --batch)
            if (!child.wait_for_text(kCommitted)) break;
        std::this_thread::sleep_for(batch_time * random.below(1'000) / 1'000);
        child.signal(SIGKILL);
        const int ended = child.wait();
        if (ended != 128 + SIGKILL) continue;  // it was done
        ++killed;
        counts.take();
        const uint64_t acknowledged = acknowledged_in(child.output());
        least = std::min(least, acknowledged);
        most = std::max(most, acknowledged);
        const Ran check = this->folder.keel({"db", "check"});
        EXPECT_EQ(check.exit_code, 0) << check.err;
        const Ran ran = this->folder.keel({"import", kChain});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
        const size_t at = ran.out.find("known=");
        ASSERT_NE(at, std::string::npos) << ran.out;
        const bool whole_chain = std::stoull(ran.out.substr(at + 6)) >= acknowledged;
        EXPECT_TRUE(whole_chain) << "blocks are lost\n" << ran.out;
        const bool same = this->folder.digest() == digest;
        EXPECT_TRUE(same);
        counts.add(!whole_chain ? "LOST" : same ? "every acknowledged block" : "WRONG");
    }
    std::cout << fmt::format("{}: killed {} of {} times, {} to {} of {} blocks acknowledged",
                             this->backend(), killed, tries, least, most, kBlocks)
              << std::endl;
    // A short run may have been unlucky with the moments.
    if (full()) {
        EXPECT_EQ(killed, kills);
    } else {
        EXPECT_GT(killed, 0u);
    }
}

}  // namespace
}  // namespace keel::tests
