// keel import: files, results, messages, exit codes. Source: HIVE.md D.2, DESIGN.md 8.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "tests/flow/flow.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;
using nlohmann::json;

template <class Tag>
class FlowImport : public Flow<Tag> {
  public:
    void init_empty_chain() const {
        this->init(this->folder.write("genesis.json", genesis_of_empty_chain()));
    }
};
TYPED_TEST_SUITE(FlowImport, BothBackends, BackendNames);

std::string hash_of(const core::Block& block) {
    core::Bytes rlp;
    core::append_header(rlp, block.header);
    return core::to_hex_prefixed(crypto::keccak256(rlp));
}

std::string result(uint64_t imported, uint64_t known, uint64_t failed, const core::Block& head) {
    return fmt::format("imported={} known={} failed={} number={} hash={}\n", imported, known,
                       failed, head.header.number, hash_of(head));
}

json read_json(const std::filesystem::path& path) {
    std::ifstream file(path);
    return json::parse(file);
}

std::filesystem::path testdata() {
    return std::filesystem::path(KEEL_SOURCE_DIR) / "testdata";
}

TYPED_TEST(FlowImport, blocks_become_the_chain_and_are_known_the_second_time) {
    this->init_empty_chain();
    const auto blocks = make_empty_chain(300);
    const std::string chain = this->folder.write("chain.rlp", to_rlp(blocks));
    const Ran first = this->folder.keel({"import", chain});
    EXPECT_EQ(first.exit_code, 0) << first.err;
    EXPECT_EQ(first.out, result(300, 0, 0, blocks.back()));
    const std::string digest = this->folder.digest();
    const Ran second = this->folder.keel({"import", "--quiet", "--verify-seal", chain});
    EXPECT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(second.out, result(0, 300, 0, blocks.back()));
    EXPECT_EQ(second.err, "");
    EXPECT_EQ(this->folder.digest(), digest);
}

TYPED_TEST(FlowImport, a_wrong_state_root_leaves_a_report_of_what_the_block_did) {
    this->init_empty_chain();
    auto blocks = make_empty_chain(3);
    blocks[2].header.state_root.bytes[31] ^= 1;
    const Ran ran = this->folder.keel({"import", this->folder.write("bad.rlp", to_rlp(blocks))});
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_NE(ran.err.find("invalid block 3: invalid merkle root (remote: "), std::string::npos);
    const std::string path = fmt::format("{}/wrong-root-3-{}.json", this->folder.datadir(),
                                         hash_of(blocks[2]).substr(2, 16));
    EXPECT_NE(ran.err.find(path), std::string::npos) << ran.err;
    const json report = read_json(path);
    EXPECT_EQ(report["block"], 3);
    EXPECT_EQ(report["hash"], hash_of(blocks[2]));
    EXPECT_EQ(report["stateRootOfHeader"], core::to_hex_prefixed(blocks[2].header.state_root));
    blocks[2].header.state_root.bytes[31] ^= 1;
    EXPECT_EQ(report["stateRootComputed"], core::to_hex_prefixed(blocks[2].header.state_root));
    EXPECT_TRUE(report["accountsComplete"]);
    for (const json& account : report["accounts"]) EXPECT_NE(account["before"], account["after"]);
    for (const json& subtree : report["subtrees"]) {
        if (subtree["path"] == "") {
            EXPECT_EQ(subtree["after"], report["stateRootComputed"]);
        }
    }
    EXPECT_EQ(
        this->folder.keel({"import", this->folder.write("good.rlp", to_rlp(blocks))}).exit_code, 0);
}

TYPED_TEST(FlowImport, a_bad_block_ends_its_file_and_the_next_one_is_tried) {
    this->init_empty_chain();
    const auto blocks = make_empty_chain(30);
    const auto piece = [&](size_t first, size_t end) {
        return std::vector<core::Block>(blocks.begin() + static_cast<std::ptrdiff_t>(first),
                                        blocks.begin() + static_cast<std::ptrdiff_t>(end));
    };
    const std::string good = this->folder.write("1.rlp", to_rlp(piece(0, 10)));
    const std::string bad = this->folder.write("2.rlp", to_rlp(with_bad_block(piece(10, 20), 5)));
    const std::string again = this->folder.write("3.rlp", to_rlp(piece(15, 20)));
    const std::string orphan = this->folder.write("4.rlp", to_rlp(piece(25, 30)));
    core::Bytes cut = to_rlp(piece(20, 22));
    cut.pop_back();
    const std::string torn = this->folder.write("5.rlp", cut);
    const Ran ran =
        this->folder.keel({"import", good, bad, "/no/such.rlp", again, orphan, torn, "--json"});
    EXPECT_EQ(ran.exit_code, 1);
    const json report = json::parse(ran.out);
    EXPECT_EQ(report["imported"], 21);
    EXPECT_EQ(report["known"], 0);
    EXPECT_EQ(report["failed"], 4);
    EXPECT_EQ(report["head"]["number"], 21);
    EXPECT_EQ(report["head"]["hash"], hash_of(blocks[20]));
    EXPECT_EQ(report["stopped"], false);
    ASSERT_EQ(report["errors"].size(), 4U);
    EXPECT_EQ(report["errors"][0]["file"], bad);
    EXPECT_EQ(report["errors"][0]["number"], 16);
    const std::string reason = report["errors"][0]["reason"];
    EXPECT_TRUE(reason.starts_with("invalid block 16: invalid merkle root")) << reason;
    EXPECT_NE(ran.err.find("Import error file=" + bad + " reason=\"invalid block 16: "),
              std::string::npos)
        << ran.err;
    EXPECT_NE(report["errors"][1]["reason"].get<std::string>().find("No such file"),
              std::string::npos);
    EXPECT_EQ(report["errors"][2]["reason"], "invalid block 26: unknown ancestor");
    const std::string torn_reason = report["errors"][3]["reason"];
    EXPECT_TRUE(torn_reason.starts_with("at block 1: byte ")) << torn_reason;

    // The same bad block again, with the text that it was refused with.
    const Ran second = this->folder.keel({"import", bad, "--json"});
    EXPECT_EQ(second.exit_code, 1);
    EXPECT_EQ(json::parse(second.out)["errors"][0]["reason"], reason);
    EXPECT_EQ(json::parse(second.out)["known"], 5);
}

TYPED_TEST(FlowImport, only_missing_files_are_a_wrong_call) {
    this->init_empty_chain();
    const std::string chain = this->folder.write("chain.rlp", to_rlp(make_empty_chain(3)));
    EXPECT_EQ(this->folder.keel({"import", "/no/such.rlp", chain}).exit_code, 2);
    EXPECT_EQ(this->folder.keel({"import", this->folder.path().string()}).exit_code, 2);
    EXPECT_EQ(this->folder.keel({"import"}).exit_code, 2);
}

TYPED_TEST(FlowImport, names_come_from_a_list_and_blocks_from_stdin) {
    this->init_empty_chain();
    const auto blocks = make_empty_chain(20);
    std::string names;
    for (size_t i = 0; i < 10; ++i)
        names += this->folder.write(fmt::format("{}.rlp", i), to_rlp({blocks[i]})) + "\n";
    const Ran listed = this->folder.keel(
        {"import", "--files-from", "-"},
        {.input = this->folder.write("names", names), .environment = {}, .directory = {}});
    EXPECT_EQ(listed.out, result(10, 0, 0, blocks[9])) << listed.err;
    const Ran piped = this->folder.keel({"import", "-"},
                                        {.input = this->folder.write("chain.rlp", to_rlp(blocks)),
                                         .environment = {},
                                         .directory = {}});
    EXPECT_EQ(piped.out, result(10, 10, 0, blocks[19])) << piped.err;
}

TYPED_TEST(FlowImport, without_a_genesis_it_names_init_and_makes_nothing) {
    const std::string chain = this->folder.write("chain.rlp", to_rlp(make_empty_chain(3)));
    const Ran ran = this->folder.keel({"import", "--db", this->backend(), chain});
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_NE(ran.err.find("keel init"), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));
}

TYPED_TEST(FlowImport, a_log_in_JSON_is_one_object_a_line) {
    this->init_empty_chain();
    const auto blocks = make_empty_chain(3);
    const std::string chain = this->folder.write("chain.rlp", to_rlp(blocks));
    const Ran ran =
        this->folder.keel({"--log.json", "--log.level", "debug", "import", "--cache", "7", chain});
    size_t committed = 0;
    for (size_t at = 0; at < ran.err.size();) {
        const size_t end = std::min(ran.err.find('\n', at), ran.err.size());
        const std::string line = ran.err.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with('{')) continue;  // what the store says
        const json event = json::parse(line);
        if (event["event"] != "batch_committed") continue;
        ++committed;
        EXPECT_EQ(event["number"], 3);
        EXPECT_EQ(event["hash"], hash_of(blocks[2]));
        EXPECT_EQ(event["blocks"], 3);
    }
    EXPECT_EQ(committed, 1U) << ran.err;
}

// A chain over every fork; heads, branches and refusals by the manifest of testdata.
TYPED_TEST(FlowImport, the_chain_of_all_forks_and_its_branches_have_their_heads) {
    const json manifest = read_json(testdata() / "chains/manifest.json");
    this->init((testdata() / manifest["main"]["genesis"].get<std::string>()).string());
    const Ran main = this->folder.keel(
        {"import", "--json", (testdata() / manifest["main"]["file"].get<std::string>()).string()});
    EXPECT_EQ(main.exit_code, 0) << main.err;
    EXPECT_EQ(json::parse(main.out)["head"], manifest["main"]["head"]);
    for (const json& branch : manifest["branches"]) {
        SCOPED_TRACE(branch["name"].get<std::string>());
        std::filesystem::remove_all(this->folder.datadir());
        this->init((testdata() / branch["genesis"].get<std::string>()).string());
        for (const json& step : branch["steps"]) {
            SCOPED_TRACE(step["file"].get<std::string>());
            const Ran ran = this->folder.keel(
                {"import", "--json", (testdata() / step["file"].get<std::string>()).string()});
            EXPECT_EQ(json::parse(ran.out)["head"], step["head"]) << ran.err;
        }
    }
}

TYPED_TEST(FlowImport, each_bad_block_is_refused_for_its_reason) {
    const json manifest = read_json(testdata() / "chains/manifest.json");
    // Files that stand on the same chain go through one process.
    std::map<std::pair<std::string, std::string>, json::array_t> groups;
    for (const json& bad : manifest["bad"])
        groups[{bad["genesis"], bad.value("after", "")}].push_back(bad);
    for (const auto& [base, cases] : groups) {
        SCOPED_TRACE(base.first);
        std::filesystem::remove_all(this->folder.datadir());
        this->init((testdata() / base.first).string());
        if (!base.second.empty()) {
            ASSERT_EQ(this->folder.keel({"import", (testdata() / base.second).string()}).exit_code,
                      0);
        }
        const std::string digest = this->folder.digest();
        std::vector<std::string> words = {"import", "--json", "--verify-seal"};
        for (const json& bad : cases)
            words.push_back((testdata() / bad["file"].get<std::string>()).string());
        const Ran ran = this->folder.keel(words);
        EXPECT_EQ(ran.exit_code, 1);
        const json report = json::parse(ran.out);
        EXPECT_EQ(report["imported"], 0) << ran.out;
        ASSERT_EQ(report["errors"].size(), cases.size()) << ran.out;
        for (size_t i = 0; i < cases.size(); ++i) {
            const json& bad = cases[i];
            const std::string verdict = bad["verdict"];
            const std::string text = bad["text"];
            const uint64_t number = bad["number"];
            const std::string reason = report["errors"][i]["reason"];
            SCOPED_TRACE(verdict);
            EXPECT_NE(reason.find(text), std::string::npos) << reason;
            EXPECT_TRUE(reason.starts_with("at block ") ||
                        reason.starts_with(fmt::format("invalid block {}: ", number)))
                << reason;
        }
    }
}

// The same blocks by both backends, in one file, in a file each, and by three processes.
TEST(FlowParity, digests_do_not_depend_on_the_backend_or_on_how_the_blocks_came) {
    std::vector<std::string> digests;
    const std::filesystem::path chain = testdata() / "chains/main.rlp";
    core::SystemFiles files;
    const core::Bytes rlp = core::read_file(files, chain);
    for (const char* backend : {"mem", "lmdb"}) {
        for (const int way : {1, 2, 3}) {
            const FlowFolder folder;
            const Ran init =
                folder.keel({"init", "--db", backend, (testdata() / "genesis/main.json").string()});
            ASSERT_EQ(init.exit_code, 0) << init.err;
            if (way == 1) {
                ASSERT_EQ(folder.keel({"import", chain.string()}).exit_code, 0);
            } else {
                std::vector<std::string> words = {"import"};
                size_t at = 0;
                for (int i = 0; at < rlp.size(); ++i) {
                    const core::ByteView rest = core::ByteView(rlp).sub(at);
                    const size_t size = *core::rlp_item_length(rest);
                    words.push_back(folder.write(fmt::format("{}.rlp", i), rest.sub(0, size)));
                    at += size;
                    if (way == 3 && i % 23 == 22) {
                        ASSERT_EQ(folder.keel(words).exit_code, 0);
                        words = {"import"};
                    }
                }
                ASSERT_EQ(folder.keel(words).exit_code, 0);
            }
            digests.push_back(folder.digest());
        }
    }
    for (const std::string& digest : digests) EXPECT_EQ(digest, digests[0]);
}

TYPED_TEST(FlowImport, chains_of_the_fixtures_reach_their_heads) {
    struct Case {
        const char* set;
        const char* folder;
        uint64_t blocks;
        const char* head;
    };
    constexpr Case kCases[] = {
        {"rpc-compat", ".", 54,
         "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7"},
        {"hive-chains", "ethereum/sync/chain", 3000,
         "0xd4a8090b9de16baae99540d32b02b4d970428fb1d07b4ea200bc6bb7894034a0"},
    };
    bool found = false;
    for (const Case& c : kCases) {
        const auto set = fixture_set(c.set);
        if (!set) continue;
        found = true;
        std::filesystem::remove_all(this->folder.datadir());
        this->init((*set / c.folder / "genesis.json").string());
        const Ran ran = this->folder.keel({"import", (*set / c.folder / "chain.rlp").string()});
        EXPECT_EQ(ran.exit_code, 0) << ran.err;
        EXPECT_EQ(ran.out, fmt::format("imported={} known=0 failed=0 number={} hash={}\n", c.blocks,
                                       c.blocks, c.head));
    }
    if (!found) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
}

}  // namespace
}  // namespace keel::tests
