// keel init: results, messages, exit codes, and what it leaves behind. Source: HIVE.md D.1.1.

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

template <class Tag>
class FlowInit : public Flow<Tag> {};
TYPED_TEST_SUITE(FlowInit, BothBackends, BackendNames);

// Source: HIVE.md D.1.3.
constexpr const char* kSmokeGenesis =
    R"({"config": {"chainId": 10, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
    "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0,
    "istanbulBlock": 0}, "difficulty": "0x20000", "gasLimit": "0x1", "alloc": {},
    "unknown": [1, {"a": null}]%MORE%})";

std::string smoke(const std::string& more = {}) {
    std::string text = kSmokeGenesis;
    return text.replace(text.find("%MORE%"), 6, more);
}

TYPED_TEST(FlowInit, prints_the_hash_alone_and_the_phrase_that_scripts_look_for) {
    const std::string genesis = this->folder.write("genesis.json", genesis_of_empty_chain());
    const Ran ran = this->folder.keel({"init", "--db", this->backend(), genesis});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const auto first = make_empty_chain(1)[0];
    EXPECT_EQ(ran.out, core::to_hex_prefixed(first.header.parent_hash) + "\n");
    EXPECT_NE(ran.err.find("Successfully wrote genesis state"), std::string::npos) << ran.err;

    const Ran quiet = this->folder.keel({"init", "--quiet", genesis});
    EXPECT_EQ(quiet.exit_code, 0);
    EXPECT_EQ(quiet.out, ran.out);
    EXPECT_EQ(quiet.err, "");
}

TYPED_TEST(FlowInit, json_has_number_hash_state_root_and_chain_id) {
    const std::string genesis = this->folder.write("genesis.json", genesis_of_empty_chain());
    const Ran ran = this->folder.keel({"init", "--json", "--db", this->backend(), "-"},
                                      {.input = genesis, .environment = {}, .directory = {}});
    const auto first = make_empty_chain(1)[0];
    EXPECT_EQ(ran.out, fmt::format(R"({{"number":0,"hash":"{}","stateRoot":"{}","chainId":7}})"
                                   "\n",
                                   core::to_hex_prefixed(first.header.parent_hash),
                                   core::to_hex_prefixed(first.header.state_root)))
        << ran.err;
}

TYPED_TEST(FlowInit, flags_written_for_other_clients_are_taken_on_both_sides_of_the_command) {
    const std::string genesis = this->folder.write("genesis.json", smoke());
    const Ran ran = this->folder.keel({"--networkid",
                                       "5",
                                       "--verbosity",
                                       "3",
                                       "--nodiscover",
                                       "init",
                                       "--db",
                                       this->backend(),
                                       "--state.scheme",
                                       "path",
                                       "--fakepow",
                                       "--cache=16",
                                       "--db.size.limit",
                                       "1GB",
                                       genesis,
                                       "--log.level",
                                       "debug",
                                       "--syncmode",
                                       "full",
                                       "--port",
                                       "0",
                                       "--nat",
                                       "none"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    for (const char* flag : {"networkid", "verbosity", "nodiscover", "state.scheme", "fakepow",
                             "cache", "db.size.limit", "syncmode", "port", "nat"})
        EXPECT_NE(ran.err.find(fmt::format("flag_ignored name=--{}", flag)), std::string::npos)
            << flag << "\n"
            << ran.err;
    EXPECT_EQ(this->folder.keel({"db", "stats", "--cache", "5"}).exit_code, 2);
    EXPECT_EQ(this->folder.keel({"init", "--cache", genesis}).exit_code, 2);
}

TYPED_TEST(FlowInit, the_same_genesis_again_changes_nothing_and_another_one_is_refused) {
    const std::string genesis = this->folder.write("genesis.json", smoke());
    this->init(genesis);
    const auto before = contents_of(this->folder.datadir());
    EXPECT_EQ(this->folder.keel({"init", genesis}).exit_code, 0);
    const std::string other = this->folder.write("other.json", smoke(R"(, "timestamp": "0x2")"));
    const std::string digest = this->folder.digest();
    const Ran ran = this->folder.keel({"init", other});
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("database contains incompatible genesis (have "
                           "0x433d0b859a77a29753d2a6df477c971dcc6300af33f9d64d821a1d490b4148b1, "
                           "new 0x"),
              std::string::npos)
        << ran.err;
    EXPECT_EQ(this->folder.digest(), digest);
    EXPECT_EQ(contents_of(this->folder.datadir()), before);
}

TYPED_TEST(FlowInit, a_config_that_contradicts_stored_blocks_is_refused) {
    const std::string genesis = this->folder.write("genesis.json", genesis_of_empty_chain());
    this->init(genesis);
    const std::string chain = this->folder.write("chain.rlp", to_rlp(make_empty_chain(5)));
    ASSERT_EQ(this->folder.keel({"import", chain}).exit_code, 0);
    const std::string digest = this->folder.digest();
    // Block 3 is at 100 + 36 s; it had the rules of Paris.
    std::string early = genesis_of_empty_chain();
    early.insert(early.find("\"ethash\""), "\"shanghaiTime\": 136, ");
    const Ran ran = this->folder.keel({"init", this->folder.write("early.json", early)});
    EXPECT_EQ(ran.exit_code, 1) << ran.err;
    EXPECT_NE(ran.err.find("hanghai"), std::string::npos) << ran.err;
    EXPECT_EQ(this->folder.digest(), digest);

    std::string late = genesis_of_empty_chain();
    late.insert(late.find("\"ethash\""), "\"shanghaiTime\": 1000, ");
    EXPECT_EQ(this->folder.keel({"init", this->folder.write("late.json", late)}).exit_code, 0);
    EXPECT_NE(this->folder.digest(), digest);
}

TYPED_TEST(FlowInit, a_bad_file_is_named_and_nothing_is_made) {
    struct Case {
        std::string document;
        const char* text;
    };
    const Case cases[] = {
        {"{", "bad.json"},
        {"", "bad.json"},
        {"[]", "bad.json"},
        {R"({"alloc": {}})", "genesis has no chain configuration"},
        {R"({"config": {"berlinBlock": 5, "londonBlock": 3}, "alloc": {}})",
         "unsupported fork ordering"},
        {smoke(R"(, "number": "0x1")"), "can't commit genesis block with number > 0"},
        {R"({"config": {"clique": {"period": 1}}, "alloc": {}, "extraData": "0x00"})",
         "can't start clique chain without signers"},
        {smoke(R"(, "gasLimit": "many")"), "many"},
        {smoke(R"(, "config": {"newForkTime": 5})"), "newForkTime"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.document);
        const std::string genesis = this->folder.write("bad.json", c.document);
        const Ran ran = this->folder.keel({"init", "--db", this->backend(), genesis});
        EXPECT_EQ(ran.exit_code, 2) << ran.err;
        EXPECT_NE(ran.err.find(c.text), std::string::npos) << ran.err;
        EXPECT_NE(ran.err.find("bad.json"), std::string::npos) << ran.err;
        EXPECT_EQ(ran.out, "");
        EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));
    }
    const Ran missing = this->folder.keel({"init", "/no/such/genesis.json"});
    EXPECT_EQ(missing.exit_code, 2);
    EXPECT_NE(missing.err.find("/no/such/genesis.json"), std::string::npos);
    EXPECT_NE(missing.err.find("No such file"), std::string::npos);
    EXPECT_EQ(this->folder.keel({"init"}).exit_code, 2);
    EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));
}

TYPED_TEST(FlowInit, a_failure_while_writing_leaves_no_directory) {
    // An empty store fits the limit, these accounts do not.
    std::string text =
        R"({"config": {"chainId": 10}, "gasLimit": "0x2fefd8", "difficulty": "0x1", "alloc": {)";
    for (int account = 0; account < 300; ++account)
        text += fmt::format(R"({}"{:040x}": {{"balance": "{}"}})", account == 0 ? "" : ", ",
                            account, account + 1);
    const std::string genesis = this->folder.write("genesis.json", text + "}}");
    const Ran full = this->folder.keel(
        {"init", "--db", this->backend(), genesis},
        {.input = {}, .environment = {}, .directory = {}, .file_bytes_max = 16 * 1024});
    EXPECT_EQ(full.exit_code, 5) << full.err;
    EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));

    // A folder that was there, with something of others in it, stays as it was.
    std::filesystem::create_directory(this->folder.datadir());
    this->folder.write("data/notes.txt", "mine");
    const auto before = contents_of(this->folder.datadir());
    EXPECT_EQ(
        this->folder
            .keel({"init", "--db", this->backend(), genesis},
                  {.input = {}, .environment = {}, .directory = {}, .file_bytes_max = 16 * 1024})
            .exit_code,
        5);
    EXPECT_EQ(contents_of(this->folder.datadir()), before);
    EXPECT_EQ(this->folder.keel({"init", "--db", this->backend(), genesis}).exit_code, 0);
}

TYPED_TEST(FlowInit, the_environment_of_hive_and_overrides_make_the_config) {
    const std::string genesis = this->folder.write("genesis.json", smoke());
    const Ran printed = this->folder.keel(
        {"init", "--hive", "--print-config", "--override.osaka", "77", genesis},
        {.input = {},
         .environment = {"HIVE_CHAIN_ID=10", "HIVE_FORK_LONDON=5", "HIVE_LOGLEVEL=0"},
         .directory = {}});
    EXPECT_EQ(printed.exit_code, 0) << printed.err;
    EXPECT_NE(printed.out.find(R"("chainId":10,"londonBlock":5,)"), std::string::npos)
        << printed.out;
    EXPECT_NE(printed.out.find(R"("osakaTime":77)"), std::string::npos) << printed.out;
    EXPECT_EQ(printed.out.find("homesteadBlock"), std::string::npos) << printed.out;
    EXPECT_NE(printed.out.find(R"("unknown": [1, {"a": null}])"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));

    const Ran ran = this->folder.keel(
        {"init", "--hive", "--db", this->backend(), genesis},
        {.input = {}, .environment = {"HIVE_CHAIN_ID=10", "HIVE_LOGLEVEL=0"}, .directory = {}});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "0x433d0b859a77a29753d2a6df477c971dcc6300af33f9d64d821a1d490b4148b1\n");
    EXPECT_EQ(this->folder.keel({"init", "--override.osaka", "-1", genesis}).exit_code, 2);
    EXPECT_EQ(this->folder.keel({"init", "--override.osaka", "x", genesis}).exit_code, 2);
}

TYPED_TEST(FlowInit, a_signal_while_the_genesis_is_awaited_leaves_nothing) {
    const std::string pipe = this->folder.make_pipe("pipe");
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        ChildProcess child(this->folder.command(
            {"init", "--db", this->backend(), "--log.level", "debug", "--cache", "1", pipe}));
        ASSERT_TRUE(child.wait_for_text("flag_ignored"));
        child.signal(signal);
        EXPECT_EQ(child.wait(), 128 + signal) << child.output();
        EXPECT_FALSE(std::filesystem::exists(this->folder.datadir()));
    }
}

TYPED_TEST(FlowInit, a_directory_in_use_is_not_touched) {
    const std::string genesis = this->folder.write("genesis.json", genesis_of_empty_chain());
    this->init(genesis);
    const std::string pipe = this->folder.make_pipe("pipe");
    const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    const core::Bytes rlp = to_rlp(make_empty_chain(1));
    ASSERT_EQ(::write(writer, rlp.data(), rlp.size()), static_cast<ssize_t>(rlp.size()));
    ChildProcess import(this->folder.command({"import", "--log.level", "debug", pipe}));
    ASSERT_TRUE(import.wait_for_text("batch_committed number=1 ")) << import.output();
    for (const char* command : {"init", "import"}) {
        const Ran ran = this->folder.keel({command, genesis});
        EXPECT_EQ(ran.exit_code, 3) << ran.err;
        EXPECT_NE(ran.err.find(std::to_string(import.pid())), std::string::npos) << ran.err;
    }
    import.signal(SIGTERM);
    EXPECT_EQ(import.wait(), 128 + SIGTERM);
    ::close(writer);
}

}  // namespace
}  // namespace keel::tests
