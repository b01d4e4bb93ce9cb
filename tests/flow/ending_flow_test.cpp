// However a process of the flow ends, the data directory is whole and holds what was acknowledged.
// Rows: init, import, db tools; columns: success, bad input, exception, std::exit, signals,
// SIGKILL.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "core/hex.hpp"
#include "tests/contract/kv_contract.hpp"
#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;

constexpr size_t kBlocks = 400;
constexpr size_t kHalf = 150;

template <class Tag>
class FlowEnding : public Flow<Tag> {
  public:
    void SetUp() override {
        blocks_ = make_empty_chain(kBlocks);
        chain_ = this->folder.write("chain.rlp", to_rlp(blocks_));
        half_ = to_rlp({blocks_.begin(), blocks_.begin() + kHalf});
        genesis_ = this->folder.write("genesis.json", genesis_of_empty_chain());
        this->init(genesis_);
        digest_of_genesis_ = this->folder.digest();
        // What an undisturbed import leaves.
        ASSERT_EQ(this->folder.keel({"import", chain_}).exit_code, 0);
        digest_of_chain_ = this->folder.digest();
        std::filesystem::remove_all(this->folder.datadir());
        this->init(genesis_);
    }

    /// An import that has committed half of the blocks and waits for more; `pipe` is open as long
    /// as it is not closed.
    struct Waiting {
        std::unique_ptr<ChildProcess> import;
        int pipe;
    };
    Waiting start_and_wait_for_half() {
        const std::string name = this->folder.path() / "pipe";
        if (!std::filesystem::exists(name)) this->folder.make_pipe("pipe");
        const int pipe = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
        auto import = std::make_unique<ChildProcess>(
            this->folder.command({"import", "--log.level", "debug", name}));
        for (size_t at = 0; at < half_.size();) {
            const core::ByteView piece = core::ByteView(half_).sub(at, 4096);
            const ssize_t written = ::write(pipe, piece.data(), piece.size());
            EXPECT_GT(written, 0);
            at += static_cast<size_t>(written);
        }
        EXPECT_TRUE(import->wait_for_text(fmt::format("batch_committed number={} ", kHalf)))
            << import->output();
        return {std::move(import), pipe};
    }

    /// The database is sound and holds `known` blocks; the rest can be imported, and then it is
    /// what an undisturbed import leaves.
    void expect_whole_and_finish(size_t known) {
        EXPECT_EQ(this->folder.keel({"db", "check"}).exit_code, 0);
        const Ran ran = this->folder.keel({"import", chain_});
        EXPECT_EQ(ran.exit_code, 0) << ran.err;
        EXPECT_TRUE(ran.out.starts_with(
            fmt::format("imported={} known={} failed=0 ", kBlocks - known, known)))
            << ran.out;
        EXPECT_EQ(this->folder.digest(), digest_of_chain_);
    }

    std::vector<core::Block> blocks_;
    core::Bytes half_;
    std::string chain_;
    std::string genesis_;
    std::string digest_of_genesis_;
    std::string digest_of_chain_;
};
TYPED_TEST_SUITE(FlowEnding, BothBackends, BackendNames);

TYPED_TEST(FlowEnding, import_stopped_by_a_signal_has_committed_what_came) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        SCOPED_TRACE(signal);
        std::filesystem::remove_all(this->folder.datadir());
        this->init(this->genesis_);
        auto waiting = this->start_and_wait_for_half();
        waiting.import->signal(signal);
        EXPECT_EQ(waiting.import->wait(), 128 + signal) << waiting.import->output();
        EXPECT_NE(waiting.import->output().find(fmt::format("number={} ", kHalf)),
                  std::string::npos);
        ::close(waiting.pipe);
        this->expect_whole_and_finish(kHalf);
    }
}

TYPED_TEST(FlowEnding, import_killed_half_way_goes_on_from_what_was_durable) {
    auto waiting = this->start_and_wait_for_half();
    waiting.import->signal(SIGKILL);
    EXPECT_EQ(waiting.import->wait(), 128 + SIGKILL);
    ::close(waiting.pipe);
    this->expect_whole_and_finish(kHalf);
}

TYPED_TEST(FlowEnding, import_that_meets_a_bad_block_keeps_what_was_before_it) {
    const std::string bad =
        this->folder.write("bad.rlp", to_rlp(with_bad_block(this->blocks_, kHalf)));
    EXPECT_EQ(this->folder.keel({"import", bad}).exit_code, 1);
    // The mark of the bad block is all that differs afterwards.
    EXPECT_EQ(this->folder.keel({"db", "check"}).exit_code, 0);
    const Ran ran = this->folder.keel({"import", this->chain_});
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_TRUE(
        ran.out.starts_with(fmt::format("imported={} known={} failed=0 ", kBlocks - kHalf, kHalf)))
        << ran.out;
}

TYPED_TEST(FlowEnding, import_on_a_full_disk_or_a_damaged_store_says_so_and_changes_nothing) {
    // What does not fit is more than the store of a genesis.
    core::Bytes rlp = to_rlp(make_empty_chain(3'000));
    const std::string large = this->folder.write("large.rlp", rlp);
    const Ran full = this->folder.keel(
        {"import", large},
        {.input = {}, .environment = {}, .directory = {}, .file_bytes_max = 512 * 1024});
    EXPECT_EQ(full.exit_code, 5) << full.err;
    EXPECT_EQ(this->folder.digest(), this->digest_of_genesis_);
    this->expect_whole_and_finish(0);

    const std::string image = this->kMem ? "data/store.img" : "data/data.mdb";
    std::string damaged = this->folder.read(image);
    constexpr size_t kFirstDamaged = 8'192;  // behind the headers
    for (size_t at = kFirstDamaged; at < damaged.size(); at += 64)
        damaged[at] = static_cast<char>(~damaged[at]);
    this->folder.write(image, damaged);
    EXPECT_EQ(this->folder.keel({"import", large}).exit_code, 4);
    EXPECT_EQ(this->folder.read(image), damaged) << "nothing is replaced by an empty store";
}

// The program has no way to end so by itself: a child does what `keel import` does, with an
// observer that throws or exits behind a block.
TYPED_TEST(FlowEnding, import_ended_by_an_exception_or_exit_is_whole) {
    for (const char* way : {"throw", "exit"}) {
        SCOPED_TRACE(way);
        std::filesystem::remove_all(this->folder.datadir());
        this->init(this->genesis_);
        ChildProcess child(
            {KEEL_FLOW_CHILD, this->folder.datadir(), this->chain_, way, std::to_string(kHalf)});
        EXPECT_EQ(child.wait(), 7) << child.output();
        // Nothing unwinds with exit, but what was open and whole is committed.
        this->expect_whole_and_finish(kHalf);
    }
}

TYPED_TEST(FlowEnding, init_again_is_refused_or_changes_nothing_and_the_chain_stays) {
    ASSERT_EQ(this->folder.keel({"import", this->chain_}).exit_code, 0);
    std::string other = genesis_of_empty_chain();
    other.replace(other.find("\"0x64\""), 6, "\"0x65\"");
    EXPECT_EQ(this->folder.keel({"init", this->folder.write("other.json", other)}).exit_code, 1);
    EXPECT_EQ(this->folder.digest(), this->digest_of_chain_);
    EXPECT_EQ(this->folder.keel({"init", this->genesis_}).exit_code, 0);
    EXPECT_EQ(this->folder.digest(), this->digest_of_chain_);
}

TYPED_TEST(FlowEnding, tools_change_nothing_when_they_fail_or_are_stopped) {
    ASSERT_EQ(this->folder.keel({"import", this->chain_}).exit_code, 0);
    const Ran dump = this->folder.keel({"db", "dump", "Header"});
    EXPECT_EQ(dump.exit_code, 0);
    const std::string half =
        this->folder.write("half.txt", std::string_view(dump.out).substr(0, dump.out.size() / 2));
    EXPECT_NE(this->folder.keel({"db", "load", half}).exit_code, 0);
    EXPECT_EQ(this->folder.digest(), this->digest_of_chain_);
    EXPECT_EQ(this->folder.keel({"db", "get", "NoSuchTable", "0x00"}).exit_code, 1);
    EXPECT_EQ(this->folder.digest(), this->digest_of_chain_);

    const std::string pipe = this->folder.make_pipe("dump");
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGKILL}) {
        SCOPED_TRACE(signal);
        const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
        ChildProcess load(this->folder.command({"db", "load", "--log.level", "debug", pipe}));
        ASSERT_GT(::write(writer, dump.out.data(), 2048), 0);
        load.signal(signal);
        EXPECT_EQ(load.wait(), 128 + signal);
        ::close(writer);
        EXPECT_EQ(this->folder.digest(), this->digest_of_chain_);
    }
}

}  // namespace
}  // namespace keel::tests
