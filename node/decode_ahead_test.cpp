#include "node/decode_ahead.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/clock.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::node {
namespace {

using core::Bytes;

Bytes block_rlp(uint64_t number) {
    core::Block block;
    block.header.number = number;
    Bytes rlp;
    core::append_block(rlp, block);
    return rlp;
}

DecodeRules newest_rules() {
    return {.rules = [](uint64_t, uint64_t) { return core::rules_of(core::Fork::Osaka); },
            .is_known = {}};
}

struct Line {
    size_t file;
    uint64_t number;
    std::string end;
    friend bool operator==(const Line&, const Line&) = default;
};

class DecodeAheadTest : public ::testing::Test {
  protected:
    DecodeAheadTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keel-ahead-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~DecodeAheadTest() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, uint64_t first, uint64_t count,
                      core::ByteView tail = {}) {
        Bytes content;
        for (uint64_t number = first; number < first + count; ++number)
            core::append(content, block_rlp(number));
        core::append(content, tail);
        const std::filesystem::path path = folder_ / name;
        core::File(files_, path, core::OpenMode::CreateEmptied).write_at(content, 0);
        return path.string();
    }

    static std::vector<Line> read_all(DecodeAhead& ahead) {
        std::vector<Line> lines;
        while (ahead.next() == DecodeAhead::Next::Batch)
            for (const DecodedBlock& block : ahead.batch().blocks)
                lines.push_back({block.file, block.end ? 0 : block.sealed.block.header.number,
                                 block.end ? block.end->reason : ""});
        return lines;
    }

    core::SystemFiles files_;
    std::filesystem::path folder_;
};

TEST_F(DecodeAheadTest, blocks_of_all_files_come_in_order_whoever_decodes_them) {
    std::vector<std::string> names;
    std::vector<Line> expected;
    uint64_t first = 1;
    for (const uint64_t count : {1U, 700U, 0U, 3U, 64U, 1U, 1U}) {
        const size_t file = names.size();
        names.push_back(write(fmt::format("{}.rlp", file), first, count));
        for (uint64_t i = 0; i < count; ++i) expected.push_back({file, first++, {}});
    }
    for (const unsigned threads : {1U, 2U, 5U}) {
        DecodeAhead ahead(files_, names, newest_rules(), threads, {});
        EXPECT_EQ(read_all(ahead), expected);
        EXPECT_EQ(ahead.next(), DecodeAhead::Next::End);
    }
}

TEST_F(DecodeAheadTest, a_bad_file_ends_in_its_place_and_the_next_one_follows) {
    const std::string bad = write("bad.rlp", 1, 2, Bytes{0x7b, 0x22});
    const std::string cut = write("cut.rlp", 3, 1, Bytes{0xc2, 0xc0, 0xc0});
    const std::string missing = (folder_ / "missing.rlp").string();
    const std::string good = write("good.rlp", 5, 1);
    DecodeAhead ahead(files_, {bad, missing, cut, folder_.string(), good}, newest_rules(), 2, {});
    const std::vector<Line> lines = read_all(ahead);
    ASSERT_EQ(lines.size(), 8U);
    EXPECT_EQ(lines[1].number, 2U);
    EXPECT_NE(lines[2].end.find("at block 2: byte"), std::string::npos) << lines[2].end;
    EXPECT_NE(lines[3].end.find("No such file"), std::string::npos) << lines[3].end;
    EXPECT_NE(lines[5].end.find("at block 1: byte"), std::string::npos) << lines[5].end;
    EXPECT_NE(lines[6].end.find("Is a directory"), std::string::npos) << lines[6].end;
    EXPECT_EQ(lines[7], (Line{4, 5, ""}));
}

TEST_F(DecodeAheadTest, a_file_that_is_given_up_is_not_read_on) {
    const std::string first = write("first.rlp", 1, 20'000);
    const std::string second = write("second.rlp", 1, 2);
    DecodeAhead ahead(files_, {first, second}, newest_rules(), 1, {});
    ASSERT_EQ(ahead.next(), DecodeAhead::Next::Batch);
    ahead.skip_file(0);
    const std::vector<Line> lines = read_all(ahead);
    EXPECT_LT(lines.size(), 19'000U);
    EXPECT_EQ(lines.back(), (Line{1, 2, ""}));
}

TEST_F(DecodeAheadTest, a_stop_ends_it_between_batches_and_while_it_waits_for_a_pipe) {
    const std::string pipe = (folder_ / "pipe").string();
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const int other_end = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    const Bytes block = block_rlp(1);
    ASSERT_EQ(::write(other_end, block.data(), block.size()), static_cast<ssize_t>(block.size()));
    std::stop_source stop;
    DecodeAhead ahead(files_, {write("a.rlp", 1, 10), pipe}, newest_rules(), 2, stop.get_token());
    size_t blocks = 0;
    while (blocks < 11) {
        ASSERT_EQ(ahead.next(), DecodeAhead::Next::Batch);
        blocks += ahead.batch().blocks.size();
    }
    // Nothing more comes: whoever has to commit is not kept waiting.
    EXPECT_EQ(ahead.next(core::monotonic_ns() + 1'000'000), DecodeAhead::Next::TimedOut);
    std::thread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(ahead.next(), DecodeAhead::Next::End);
    stopper.join();
    ::close(other_end);
}

TEST_F(DecodeAheadTest, what_a_thread_throws_comes_out_of_next) {
    DecodeRules rules = newest_rules();
    rules.rules = [](uint64_t number, uint64_t) -> core::ForkRules {
        if (number == 500) throw core::Fault(core::FaultKind::Damaged, "on purpose");
        return core::rules_of(core::Fork::Osaka);
    };
    DecodeAhead ahead(files_, {write("a.rlp", 1, 1'000)}, rules, 2, {});
    EXPECT_THROW(read_all(ahead), core::Fault);
}

TEST_F(DecodeAheadTest, senders_are_there_unless_the_block_is_known) {
    const auto fixtures = tests::fixture_set("rpc-compat");
    if (!fixtures) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    DecodeRules rules = newest_rules();
    rules.is_known = [](uint64_t number, const core::Hash32&) { return number % 2 == 0; };
    DecodeAhead ahead(files_, {(*fixtures / "chain.rlp").string()}, rules, 2, {});
    uint64_t number = 0;
    uint64_t position = 0;
    while (ahead.next() == DecodeAhead::Next::Batch) {
        position = ahead.batch().input_position;
        for (const DecodedBlock& block : ahead.batch().blocks) {
            EXPECT_FALSE(block.end);
            EXPECT_EQ(block.sealed.block.header.number, ++number);
            const size_t expected = number % 2 == 0 ? 0 : block.sealed.block.txs.size();
            EXPECT_EQ(block.sealed.senders.size(), expected);
        }
    }
    EXPECT_EQ(number, 54U);
    EXPECT_EQ(position, ahead.input_bytes());
    EXPECT_GT(position, 0U);
}

}  // namespace
}  // namespace keel::node
