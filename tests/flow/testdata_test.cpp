// The chains of testdata/ by keel init and keel import: branches, and blocks that are refused. What
// each file leads to stands in testdata/chains/manifest.json.

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

using db::testing::BackendNames;
using db::testing::BothBackends;
using nlohmann::json;

std::string testdata(const std::string& name) {
    return (std::filesystem::path(KEEL_SOURCE_DIR) / "testdata" / name).string();
}

json manifest() {
    std::ifstream file(testdata("chains/manifest.json"));
    return json::parse(file);
}

// Digest of each table but the one that remembers refused blocks.
std::map<std::string, std::string> digests(const FlowFolder& folder) {
    const Ran ran = folder.keel({"db", "checksum", "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const json report = json::parse(ran.out);
    std::map<std::string, std::string> digests;
    for (const json& table : report["tables"]) {
        if (table["name"] != "BadBlock") digests[table["name"]] = table["digest"];
    }
    return digests;
}

json import(const FlowFolder& folder, std::vector<std::string> files) {
    files.insert(files.begin(), {"import", "--json", "--quiet"});
    const Ran ran = folder.keel(files);
    EXPECT_LE(ran.exit_code, 1) << ran.err;
    return json::parse(ran.out);
}

// Bad blocks on the main chain that need no flag.
std::vector<json> bad_blocks_of_main() {
    std::vector<json> found;
    const json document = manifest();
    for (const json& bad : document["bad"]) {
        if (bad.contains("after") && !bad.contains("flag")) found.push_back(bad);
    }
    return found;
}

template <class Tag>
class FlowTestdata : public Flow<Tag> {};
TYPED_TEST_SUITE(FlowTestdata, BothBackends, BackendNames);

TYPED_TEST(FlowTestdata, refused_blocks_leave_head_and_tables_as_they_were_and_keep_their_text) {
    const json document = manifest();
    this->init(testdata(document["main"]["genesis"]));
    import(this->folder, {testdata(document["main"]["file"])});
    const auto before = digests(this->folder);
    const std::vector<json> cases = bad_blocks_of_main();
    EXPECT_GE(cases.size(), 50U);
    std::vector<std::string> files;
    for (const json& bad : cases) files.push_back(testdata(bad["file"]));
    const json first = import(this->folder, files);
    EXPECT_EQ(first["head"], document["main"]["head"]);
    EXPECT_EQ(digests(this->folder), before);
    const json second = import(this->folder, files);
    EXPECT_EQ(second["errors"], first["errors"]);
    EXPECT_EQ(second["head"], document["main"]["head"]);
    EXPECT_EQ(digests(this->folder), before);
}

TYPED_TEST(FlowTestdata, refused_blocks_between_good_ones_do_not_stop_them) {
    const json document = manifest();
    this->init(testdata(document["main"]["genesis"]));
    // The first half by a step of a branch, then every bad block, then all of the main chain: those
    // that stand on blocks which are not there yet are refused for that.
    std::vector<std::string> files = {testdata("chains/branches/london-1.rlp")};
    for (const json& bad : bad_blocks_of_main()) files.push_back(testdata(bad["file"]));
    const size_t bad_count = files.size() - 1;
    files.push_back(testdata(document["main"]["file"]));
    const json report = import(this->folder, files);
    EXPECT_EQ(report["errors"].size(), bad_count) << report.dump();
    EXPECT_EQ(report["head"], document["main"]["head"]);
}

TEST(FlowTestdataParity, branches_leave_the_same_tables_in_both_backends) {
    const json document = manifest();
    for (const json& branch : document["branches"]) {
        SCOPED_TRACE(branch["name"].get<std::string>());
        std::vector<std::string> by_backend;
        for (const char* backend : {"mem", "lmdb"}) {
            const FlowFolder folder;
            const Ran init = folder.keel({"init", "--db", backend, testdata(branch["genesis"])});
            ASSERT_EQ(init.exit_code, 0) << init.err;
            for (const json& step : branch["steps"]) {
                const json report = import(folder, {testdata(step["file"])});
                EXPECT_EQ(report["head"], step["head"]) << report.dump();
            }
            by_backend.push_back(folder.digest());
        }
        EXPECT_EQ(by_backend[0], by_backend[1]);
    }
}

// Whatever order the files of a branch come in, nothing breaks, and all of them in their order in
// the end lead to the last head of proof of stake.
TEST(FlowTestdataParity, files_in_any_order_end_at_the_head_of_the_last_ones) {
    const json document = manifest();
    std::mt19937 random(20261);
    for (const json& branch : document["branches"]) {
        SCOPED_TRACE(branch["name"].get<std::string>());
        std::vector<std::string> in_order;
        for (const json& step : branch["steps"]) in_order.push_back(testdata(step["file"]));
        std::vector<std::string> mixed = in_order;
        std::shuffle(mixed.begin(), mixed.end(), random);
        const FlowFolder folder;
        const Ran init = folder.keel({"init", "--db", "mem", testdata(branch["genesis"])});
        ASSERT_EQ(init.exit_code, 0) << init.err;
        import(folder, mixed);
        import(folder, in_order);
        const json again = import(folder, in_order);
        EXPECT_EQ(again["imported"], 0) << again.dump();
        EXPECT_EQ(again["errors"].size(), 0U) << again.dump();
        // The main chain, whose blocks are all known but the newest ones, takes over.
        const json all = import(folder, {testdata(document["main"]["file"])});
        EXPECT_EQ(all["head"], document["main"]["head"]);
    }
}

// The cases that are too large for the repository: blocks at the limits, and full of one thing.
TEST(FlowTestdataParity, big_blocks_lead_to_their_heads_and_the_same_tables_in_both_backends) {
    const FlowFolder made;
    const std::string directory = (made.path() / "big").string();
    ChildProcess maker({KEEL_TESTDATA_PROGRAM, "--big", directory});
    ASSERT_EQ(maker.wait(), 0) << maker.output();
    std::ifstream file(directory + "/manifest.json");
    const json cases = json::parse(file);
    EXPECT_GE(cases.size(), 10U);
    for (const json& big : cases) {
        SCOPED_TRACE(big["name"].get<std::string>());
        std::vector<std::string> by_backend;
        for (const char* backend : {"mem", "lmdb"}) {
            const FlowFolder folder;
            const Ran init = folder.keel({"init", "--db", backend, directory + "/genesis.json"});
            ASSERT_EQ(init.exit_code, 0) << init.err;
            const json report = import(folder, {directory + "/" + big["file"].get<std::string>()});
            EXPECT_EQ(report["head"], big["head"]) << report.dump();
            EXPECT_EQ(report["errors"].size(), big.contains("refused") ? 1U : 0U) << report.dump();
            by_backend.push_back(folder.digest());
        }
        EXPECT_EQ(by_backend[0], by_backend[1]);
    }
}

}  // namespace
}  // namespace keel::tests
