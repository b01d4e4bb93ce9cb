// The close guarantee (DESIGN.md 2.6) as a table: each command that changes a data directory, and
// each way in which a process ends. Whatever was committed is there afterwards, and nothing else.

#include <fmt/format.h>

#include <csignal>
#include "core/hex.hpp"

#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;

constexpr uint64_t kBlocks = 40;

struct Ending {
    const char* way;
    int signal;
    int exit_code;
};
constexpr Ending kEndings[] = {
    {"return", 0, 0},
    {"throw", 0, 1},
    {"exit", 0, 7},
    {"wait", SIGINT, 128 + SIGINT},
    {"wait", SIGTERM, 128 + SIGTERM},
    {"wait", SIGHUP, 128 + SIGHUP},
};

template <class Tag>
class CloseTable : public Flow<Tag> {
  public:
    CloseTable() {
        const std::vector<core::Block> blocks = make_empty_chain(kBlocks);
        genesis_ = this->folder.write("genesis.json", genesis_of_empty_chain());
        chain_ = this->folder.write("chain.rlp", to_rlp(blocks));
        bad_chain_ = this->folder.write("bad.rlp", to_rlp(with_bad_block(blocks, kBlocks / 2)));
        std::string other = genesis_of_empty_chain();
        other.replace(other.find("\"0x64\""), 6, "\"0x65\"");
        other_genesis_ = this->folder.write("other.json", other);
    }

    /// The directory as the command finds it.
    void prepare(const std::string& command) const {
        std::filesystem::remove_all(this->folder.datadir());
        if (command != "init") this->init(genesis_);
    }
    std::string input_of(const std::string& command) const {
        if (command == "init") return genesis_;
        return command == "tool" ? "written by hand" : chain_;
    }
    /// What the program itself leaves, undisturbed.
    std::string wanted(const std::string& command) const {
        prepare(command);
        if (command == "init") {
            this->init(genesis_);
        } else if (command == "tool") {
            EXPECT_EQ(this->folder
                          .keel({"db", "put", "Chain", "0x6e6f7465",
                                 "0x" + core::to_hex(core::ByteView(input_of(command)))})
                          .exit_code,
                      0);
        } else {
            EXPECT_EQ(this->folder.keel({"import", chain_}).exit_code, 0);
        }
        return this->folder.digest();
    }

    std::string genesis_;
    std::string other_genesis_;
    std::string chain_;
    std::string bad_chain_;
};
TYPED_TEST_SUITE(CloseTable, BothBackends, BackendNames);

TYPED_TEST(CloseTable, everything_committed_is_saved_however_the_process_ends) {
    for (const char* command : {"init", "import", "daemon", "tool"}) {
        const std::string wanted = this->wanted(command);
        for (const Ending& ending : kEndings) {
            SCOPED_TRACE(fmt::format("{}, {} {}", command, ending.way, ending.signal));
            this->prepare(command);
            ChildProcess child({KEEL_CLOSING_CHILD, command, this->folder.datadir(),
                                this->backend(), this->input_of(command), ending.way});
            EXPECT_TRUE(child.wait_for_line("done")) << child.output();
            if (ending.signal != 0) child.signal(ending.signal);
            EXPECT_EQ(child.wait(), ending.exit_code) << child.output();
            EXPECT_EQ(this->folder.digest(), wanted);
            EXPECT_EQ(this->folder.keel({"db", "check"}).exit_code, 0);
        }
    }
}

TYPED_TEST(CloseTable, bad_input_is_said_and_what_was_there_stays) {
    const auto expect_refused = [&](const std::vector<std::string>& arguments, int exit_code) {
        SCOPED_TRACE(arguments.front());
        const std::string before = this->folder.digest();
        const Ran ran = this->folder.keel(arguments);
        EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
        EXPECT_FALSE(ran.err.empty());
        EXPECT_EQ(this->folder.digest(), before);
    };
    this->prepare("import");
    expect_refused({"init", this->other_genesis_}, 1);
    expect_refused({"init", this->chain_}, 2);
    expect_refused({"import", this->chain_ + ".missing"}, 2);
    expect_refused({"daemon", "--http.port", "0", "--authrpc.jwtsecret", this->chain_}, 2);
    expect_refused({"db", "put", "NoSuchTable", "0x00", "0x00"}, 1);
    // What stands before a bad block is kept, as if nothing came behind it.
    EXPECT_EQ(this->folder.keel({"import", this->bad_chain_}).exit_code, 1);
    const Ran ran = this->folder.keel({"import", this->chain_});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(ran.out.starts_with(
        fmt::format("imported={} known={} failed=0 ", kBlocks - kBlocks / 2, kBlocks / 2)))
        << ran.out;
}

}  // namespace
}  // namespace keel::tests
