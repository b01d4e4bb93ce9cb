// KV.md A.11, ending: K54.

#include <csignal>

#include "tests/contract/kv_contract.hpp"

namespace keel::tests {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

// K54 (R39, B6). Seen elsewhere: close hooks ran only for services that had been started, and
// import starts none.
TYPED_TEST(KvContract, K54_however_a_process_ends_its_rows_are_there) {
    constexpr uint64_t kRows = 1'000;
    struct Ending {
        const char* command;
        int signal;  // 0: none
        int exit_code;
    };
    constexpr Ending kEndings[] = {
        {"return-0", 0, 0},
        {"return-1", 0, 1},
        {"throw", 0, 1},
        {"exit-in-thread", 0, 7},
        {"wait", SIGINT, 128 + SIGINT},
        {"wait", SIGTERM, 128 + SIGTERM},
        {"wait", SIGHUP, 128 + SIGHUP},
    };
    for (const Ending& ending : kEndings) {
        SCOPED_TRACE(ending.command);
        SCOPED_TRACE(ending.signal);
        std::filesystem::remove_all(this->directory());
        ChildProcess child(this->child(ending.command, kRows));
        ASSERT_TRUE(child.wait_for_line("ready")) << child.output();
        if (ending.signal != 0) child.signal(ending.signal);
        EXPECT_EQ(child.wait(), ending.exit_code) << child.output();
        const Database store = this->open();
        EXPECT_EQ(this->count(store), kRows);
        EXPECT_EQ(store.begin_ro().view_id(), kRows + 1);
        store.close();
    }
}

// K54 (R39): a second signal during the saving does not interrupt it; it is said that saving goes
// on.
TYPED_TEST(KvContract, K54_a_second_signal_does_not_interrupt_the_saving) {
    constexpr uint64_t kRows = 1'000;
    ChildProcess child(this->child("wait-for-two-signals", kRows));
    ASSERT_TRUE(child.wait_for_line("ready")) << child.output();
    child.signal(SIGTERM);
    ASSERT_TRUE(child.wait_for_line("saving")) << child.output();
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 128 + SIGTERM) << child.output();
    EXPECT_NE(child.output().find("saving goes on"), std::string::npos) << child.output();
    EXPECT_EQ(this->count(this->open()), kRows);
}

}  // namespace

}  // namespace keel::tests
