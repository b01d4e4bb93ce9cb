#pragma once

// Processes that are killed, or whose calls fail, at a given call that changes a file: a library is
// preloaded (failing_calls.cpp), so liblmdb's own calls are reached as well.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "db/testing/contract_fixture.hpp"
#include "tests/support/child_process.hpp"
#include "tests/torture/counts.hpp"

namespace keel::tests {

struct Ended {
    int exit_code = 0;
    std::string text;
};

/// A test that runs one command in a folder of its own, ended or failed at each of its calls.
template <class Scenario>
class TortureCalls : public ::testing::TestWithParam<Scenario> {
  protected:
    void SetUp() override {
        if (db::testing::kAddressSanitizer || db::testing::kThreadSanitizer)
            GTEST_SKIP() << "needs a build whose run-time library need not come first: a library "
                            "is preloaded";
    }
    std::filesystem::path data() const { return root_.path() / "data"; }

    /// Before each run: the folder as the command finds it.
    virtual void prepare() const = 0;
    virtual std::vector<std::string> command() const = 0;
    /// Is what it has left what had to be there? Counts what it was.
    virtual void check(const Ended& ended, Counts& counts) const = 0;

    /// Runs the command; `how` (see failing_calls.cpp) happens to call `at`. 0: none.
    Ended run(uint64_t at, const std::string& how) const {
        ChildProcess child(command(), {},
                           {std::string("LD_PRELOAD=") + KEEL_FAILING_CALLS,
                            "KEEL_FAULT_UNDER=" + root_.path().string() + "/",
                            "KEEL_FAULT_AT=" + std::to_string(at), "KEEL_FAULT=" + how,
                            "KEEL_FAULT_COUNT=" + count_file().string()});
        const int exit_code = child.wait();
        return {exit_code, child.output()};
    }
    /// `sample`: about how many of the calls a short run takes, for each way.
    void end_and_fail_at_each_call(uint64_t sample) const {
        prepare();
        const Ended undisturbed = run(0, "");
        ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.text;
        core::SystemFiles files;
        const core::Bytes count = core::read_file(files, count_file());
        // Timers of a group move by a few calls from run to run.
        const uint64_t calls = std::stoull(std::string(count.begin(), count.end())) + 10;
        const std::string eio = std::to_string(EIO);
        const std::string enospc = std::to_string(ENOSPC);
        const std::pair<const char*, std::string> ways[] = {{"killed", "kill"},
                                                            {"torn", "tear"},
                                                            {"EIO once", "once:" + eio},
                                                            {"EIO for good", "all:" + eio},
                                                            {"ENOSPC once", "once:" + enospc},
                                                            {"ENOSPC for good", "all:" + enospc}};
        for (const auto& [name, how] : ways) {
            Counts counts(fmt::format("{}, {}", this->GetParam().name, name), "calls");
            const bool kills = how == "kill" || how == "tear";
            const uint64_t step = step_of(calls, sample);
            for (uint64_t at = 1; at <= calls; at += step) {
                SCOPED_TRACE(fmt::format("{} at call {}", name, at));
                prepare();
                const Ended ended = run(at, how);
                EXPECT_TRUE(ended.exit_code == 0 || ended.exit_code == (kills ? 128 + SIGKILL : 5))
                    << ended.exit_code << "\n"
                    << ended.text;
                counts.take();
                counts.add(ended.exit_code == 0 ? "ended well" : kills ? "killed" : "refused");
                check(ended, counts);
                if (::testing::Test::HasFatalFailure() || counts.wrong() > 3) return;
            }
        }
    }

    const db::testing::TempDirectory root_;

  private:
    std::filesystem::path count_file() const { return outside_.path() / "count"; }

    const db::testing::TempDirectory outside_;  // its files do not count
};

}  // namespace keel::tests
