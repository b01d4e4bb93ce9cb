#include "node/genesis_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "chain/block_store.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "db/open.hpp"
#include "db/tools/checksum.hpp"
#include "node/genesis_text.hpp"
#include "state/tables.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::node {
namespace {

/// What comes of a document: the digest of a store with it, or the refusal.
struct Outcome {
    std::string text;
    bool flat = false;
};

template <class Parse>
Outcome outcome_of(const Parse& parse) {
    try {
        const chain::Genesis genesis = parse();
        const db::Database store = db::open_ephemeral(state::schema());
        const auto written = chain::write_genesis(store, genesis);
        return {core::to_hex(written.hash) + db::tools::checksum(store).digest.hex(),
                genesis.flat_alloc != nullptr};
    } catch (const core::Fault& fault) {
        return {fmt::format("{} {}", static_cast<int>(fault.kind()), fault.message())};
    }
}

/// Both readers agree. Returns whether it was read on demand.
bool agrees(const std::string& document) {
    const Outcome tree = outcome_of([&] { return chain::parse_genesis(document, "g.json"); });
    std::string copy = document;
    const Outcome on_demand = outcome_of([&] { return parse_genesis_document(copy, "g.json"); });
    EXPECT_EQ(on_demand.text, tree.text) << document.substr(0, 2000);
    EXPECT_EQ(copy, document);
    return on_demand.flat;
}

std::string with_alloc(const std::string& alloc) {
    return R"({"config":{"chainId":1},"alloc":)" + alloc + R"(,"gasLimit":"0x1"})";
}

constexpr const char* kA = "\"00000000000000000000000000000000000000aa\"";
constexpr const char* kB = "\"0X00000000000000000000000000000000000000Bb\"";

TEST(GenesisFile, plain_allocs_are_read_on_demand) {
    const std::string long_code(3000, 'a');
    for (const std::string& alloc : {
             std::string("{}"),
             std::string("{ \n }"),
             fmt::format("{{{}:{{}}}}", kA),
             fmt::format(R"({{ {} : {{ "balance" : "12" , "nonce":"0x3"}} , {}:{{"balance":7}} }})",
                         kB, kA),
             fmt::format(R"({{{}:{{"balance":"","nonce":0}}}})", kA),
             fmt::format(R"({{{}:{{"balance":123456789012345678901234567890 }}}})", kA),
             fmt::format(R"({{{}:{{"balance":"1e3"}},{}:{{"balance":"0x0fF"}}}})", kA, kB),
             fmt::format(R"({{{}:{{"code":"0x","balance":"1"}},{}:{{"code":"6001"}}}})", kA, kB),
             fmt::format(R"({{{}:{{"code":"0x{}"}},{}:{{"code":"0X{}"}}}})", kA, long_code, kB,
                         long_code),
             fmt::format(R"({{{}:{{"storage":{{}}}}}})", kA),
             fmt::format(R"({{{}:{{"storage":{{"0x2":"0x1","01":"ff","0x3":"0x0"}}}}}})", kA),
             fmt::format(R"({{{}:{{"storage":{{"0x2":"0x1","02":"0x00"}}}}}})", kA),
             fmt::format(R"({{{}:{{"balance":"1"}},{}:{{"balance":"2"}}}})", kA, kA),
             fmt::format(R"({{{}:{{"storage":{{"0x1":"0x1"}}}},{}:{{"code":"00"}}}})", kA, kA),
         }) {
        EXPECT_TRUE(agrees(with_alloc(alloc))) << alloc;
    }
    EXPECT_TRUE(agrees(fmt::format("\n{{\"alloc\"\t: {{}}\n,\"config\":{{\"x\":[1,{{}}]}}}}\n")));
    EXPECT_TRUE(agrees(R"({"config":{},"alloc":{}})"));
    EXPECT_TRUE(agrees(R"({"Alloc":{"x":1},"config":{},"alloc":{}})"));
}

TEST(GenesisFile, what_is_unusual_means_the_same) {
    for (const std::string members : {
             R"("Balance":"5")",
             R"("balance":"1","balance":"2")",
             R"("balance":1e3)",
             R"("balance":10.0)",
             R"("balance":null)",
             R"("balance":null,"Balance":"1")",
             R"("balance":-0)",
             R"("balance":-1)",
             R"("balance":01)",
             R"("balance":0x1)",
             R"("balance":true)",
             R"("balance":[])",
             R"("balance":{})",
             R"("balance":"-1")",
             R"("balance":" 1")",
             R"("balance":"1 ")",
             R"("balance":"+1")",
             R"("balance":"\u0031")",
             R"("\u0062alance":"1")",
             R"("balance":"0x")",
             R"("balance":"0x1g")",
             R"("balance":"1e99")",
             R"("balance":18446744073709551616)",
             R"("nonce":"18446744073709551615")",
             R"("nonce":"18446744073709551616")",
             R"("nonce":"99999999999999999999")",
             R"("secretKey":"0x1","balance":"1")",
             R"("comment":{"a":[1,2]},"balance":"1")",
             R"("comment":{"a":[1,2},"balance":"1")",
             R"("comment":01,"balance":"1")",
             R"("code":"0x1")",
             R"("code":"0xgg")",
             R"("code":5)",
             R"("code":null)",
             R"("storage":null)",
             R"("storage":[])",
             R"("storage":{"0x1":5})",
             R"("storage":{"0x1":null})",
             R"("storage":{"x":"1"})",
             R"("storage":{"":""})",
             R"("storage":{"0x1":"0x1","0x1":"0x2"})",
             R"("Storage":{"0x1":"0x1"})",
             R"("balance":"1",)",
             R"("balance" "1")",
             R"("balance":"1" "nonce":"1")",
             R"("balance":"1"x)",
             R"("balance":1x)",
             R"("balance":1 2)",
             R"(balance:"1")",
             R"('balance':"1")",
             R"("balance":"1)",
             R"("balance":"1
")",
             "\"balance\":\"\xff\"",
             "\"\xc3\x28\":\"1\"",
             "\"balance\":\"1\"\f",
             R"("balance":)",
             R"(,"balance":"1")",
             R"("balance":"1"}})",
             R"("balance":"1"])",
             R"(:)",
         }) {
        agrees(with_alloc(fmt::format("{{{}:{{{}}}}}", kA, members)));
    }
    for (const std::string& alloc : {
             std::string("null"),
             std::string("[]"),
             std::string("5"),
             std::string("\"x\""),
             std::string(R"({"12":{}})"),
             std::string(R"({"":{}})"),
             fmt::format("{{{}:null}}", kA),
             fmt::format("{{{}:[]}}", kA),
             fmt::format("{{{}:{{}},}}", kA),
             fmt::format("{{{}:{{}} {}:{{}}}}", kA, kB),
             fmt::format("{{{}:{{}},\"x\":{{}}}}", kA),
             fmt::format("{{{}}}", kA),
             fmt::format("{{{}:{{\"balance\":{}1{}}}}}", kA, std::string(70, '['),
                         std::string(70, ']')),
             std::string(R"({"\u0030000000000000000000000000000000000000000":{}})"),
             std::string(R"({"0x00000000000000000000000000000000000000zz":{}})"),
         }) {
        agrees(with_alloc(alloc));
    }
    for (const std::string& document : {
             std::string(),
             std::string("{"),
             std::string("[]"),
             std::string("{}"),
             std::string(R"({"alloc":{}})"),
             std::string(R"({"config":{}})"),
             std::string(R"({"config":{},"alloc":{},"alloc":{}})"),
             std::string(R"({"config":{},"Alloc":{}})"),
             std::string(R"({"config":{},"\u0061lloc":{}})"),
             std::string(R"({"config":{},"alloc":{}}x)"),
             std::string(R"({"config":{},"alloc":{}}{})"),
             std::string(R"({"config":{},"alloc":{})"),
             std::string(R"({"config":{},"alloc":{)"),
             std::string(R"({"config":{},"alloc":{}]})"),
             std::string(R"({"config":{},"alloc":{}},)"),
             std::string(R"({"config":{"a":[}],"alloc":{}})"),
             std::string(R"({"config":{"a":01},"alloc":{}})"),
             std::string(R"({"config":{"a":"\x"},"alloc":{}})"),
             std::string(R"({"config":{"fooBlock":1},"alloc":{}})"),
             std::string(R"({"config":{},"alloc":{},"gasLimit":"x"})"),
             std::string("\xef\xbb\xbf{\"config\":{},\"alloc\":{}}"),
             std::string("{\"config\":{},\"alloc\":{}}\0", 25),
         }) {
        agrees(document);
    }
}

/// Every way to cut or change a byte of a document with all that an alloc may have.
TEST(GenesisFile, damaged_documents_are_refused_alike) {
    const std::string document = with_alloc(fmt::format(
        R"({{{}:{{"balance":"12","nonce":3,"code":"0x6001","storage":{{"0x1":"2"}}}}}})", kA));
    for (size_t at = 0; at < document.size(); ++at) {
        agrees(document.substr(0, at));
        for (const char with : {'"', '\\', '{', '}', ',', ':', '0', 'x', ' ', '[', '\n'}) {
            std::string changed = document;
            changed[at] = with;
            agrees(changed);
            agrees(document.substr(0, at) + with + document.substr(at));
        }
        agrees(document.substr(0, at) + document.substr(at + 1));
    }
}

TEST(GenesisFile, many_accounts) {
    std::string alloc = "{";
    for (uint64_t i = 0; i < 30'000; ++i) {
        if (i > 0) alloc += ",\n";
        alloc += fmt::format(R"("{:040x}":{{"balance":"{}")", i * 7919 % 29'000 * i, i);
        if (i % 5 == 0) alloc += fmt::format(R"(,"code":"0x60{:02x}")", i % 256);
        if (i % 3 == 0) alloc += fmt::format(R"(,"storage":{{"0x{:x}":"0x{:x}"}})", i, i % 7);
        alloc += "}";
    }
    EXPECT_TRUE(agrees(with_alloc(alloc + "}")));
}

TEST(GenesisFile, fixtures) {
    size_t files = 0;
    core::SystemFiles system_files;
    const auto compare = [&](const std::filesystem::path& path) {
        SCOPED_TRACE(path);
        const std::string document = read_genesis_text(system_files, path);
        agrees(document);
        // Some get their config from hive's variables.
        EXPECT_TRUE(agrees(*with_member(document, "config", R"({"chainId":10})")));
        ++files;
    };
    const auto rpc_compat = tests::fixture_set("rpc-compat");
    const auto hive_chains = tests::fixture_set("hive-chains");
    const auto ethereum_tests = tests::fixture_set("ethereum-tests");
    if (!rpc_compat || !hive_chains || !ethereum_tests) GTEST_SKIP() << "no fixtures";
    compare(*rpc_compat / "genesis.json");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*hive_chains))
        if (entry.path().filename().string().starts_with("genesis") &&
            entry.path().extension() == ".json")
            compare(entry.path());
    EXPECT_GE(files, 10u);
    // These have no config, and an older name of the balance.
    const auto basic = nlohmann::json::parse(
        core::ByteView(core::read_file(system_files,
                                       *ethereum_tests / "GenesisTests/basic_genesis_tests.json"))
            .text());
    for (const auto& [name, test] : basic.items()) {
        SCOPED_TRACE(name);
        nlohmann::json document = test;
        document["config"] = nlohmann::json::object();
        agrees(document.dump());
        agrees(document.dump(2));
    }
}

}  // namespace
}  // namespace keel::node
