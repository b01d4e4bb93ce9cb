#include "node/hive_env.hpp"

#include <gtest/gtest.h>

#include "core/fault.hpp"
#include "node/genesis_text.hpp"

namespace keel::node {
namespace {

constexpr const char* kDeposit =
    R"("depositContractAddress":"0x00000000219ab540356cBB839Cbe05303d7705Fa")";

TEST(HiveEnv, without_variables_only_the_defaults_stand) {
    EXPECT_EQ(hive_config({}),
              std::string(R"({"ethash":{},"chainId":1,)") + kDeposit + R"(,"blobSchedule":{}})");
}

// Source: HIVE.md D.3.3, hive/mapper.jq. The mapping against jq on random environments is
// hive/checks/tests/test_mapper.py.
TEST(HiveEnv, variables_become_keys) {
    struct Case {
        const char* variable;
        const char* value;
        const char* member;
    };
    constexpr Case kCases[] = {
        {"HIVE_CHAIN_ID", "3503995874084926", R"("chainId":3503995874084926,)"},
        {"HIVE_CHAIN_ID", "9223372036854775807", R"("chainId":"9223372036854775807",)"},
        {"HIVE_FORK_SPURIOUS", "6", R"("eip155Block":6,"eip158Block":6,)"},
        {"HIVE_FORK_MUIR_GLACIER", "21", R"("muirGlacierBlock":21,)"},
        {"HIVE_FORK_MUIRGLACIER", "21", R"("muirGlacierBlock":21,)"},
        {"HIVE_MERGE_BLOCK_ID", "0", R"("mergeNetsplitBlock":0,)"},
        {"HIVE_TERMINAL_TOTAL_DIFFICULTY", "58750000000000000000000",
         R"("terminalTotalDifficulty":"58750000000000000000000",)"},
        {"HIVE_TERMINAL_TOTAL_DIFFICULTY_PASSED", "1", R"("terminalTotalDifficultyPassed":true,)"},
        {"HIVE_FORK_DAO_VOTE", "1", R"("daoForkSupport":true,)"},
        {"HIVE_FORK_DAO_VOTE", "0", R"("daoForkSupport":false,)"},
        {"HIVE_CLIQUE_PERIOD", "5", R"({"clique":{"period":5,"epoch":30000},"chainId":1,)"},
        {"HIVE_SHANGHAI_TIMESTAMP", "390", R"("shanghaiTime":390,)"},
        {"HIVE_CANCUN_TIMESTAMP", "420",
         R"("blobSchedule":{"cancun":{"target":3,"max":6,"baseFeeUpdateFraction":3338477}})"},
        {"HIVE_BPO3_BLOB_MAX", "33",
         R"("blobSchedule":{"bpo3":{"target":9,"max":33,"baseFeeUpdateFraction":8832827}})"},
        {"HIVE_BPO_INCREASE_TIMESTAMP", "9", R"("bpo3Time":9,)"},
        {"HIVE_BPO_INCREASE_BLOB_MAX", "32",
         R"("blobSchedule":{"bpo3":{"target":9,"max":32,"baseFeeUpdateFraction":8832827}})"},
        {"HIVE_BPO_DECREASE_TIMESTAMP", "9", R"("bpo4Time":9,)"},
        {"HIVE_AMSTERDAM_TIMESTAMP", "9", R"("amsterdamTime":9,)"},
        {"HIVE_DEPOSIT_CONTRACT_ADDRESS", "0x0000000000000000000000000000000000000000",
         R"("depositContractAddress":"0x0000000000000000000000000000000000000000")"},
    };
    for (const Case& c : kCases) {
        const std::string config = hive_config({{c.variable, c.value}});
        EXPECT_NE(config.find(c.member), std::string::npos) << c.variable << " gives " << config;
    }
    EXPECT_EQ(hive_network_id({{"HIVE_NETWORK_ID", "1337"}}), 1337U);
    EXPECT_EQ(hive_network_id({{"HIVE_NETWORK_ID", ""}}), std::nullopt);
    EXPECT_EQ(hive_log_level({{"HIVE_LOGLEVEL", "4"}}), 4U);
}

TEST(HiveEnv, descriptive_names_of_bpo_forks_take_precedence_one_by_one) {
    const std::string config = hive_config({{"HIVE_BPO4_TIMESTAMP", "1"},
                                            {"HIVE_BPO4_BLOB_TARGET", "2"},
                                            {"HIVE_BPO4_BLOB_MAX", "3"},
                                            {"HIVE_BPO_DECREASE_TIMESTAMP", "0"},
                                            {"HIVE_BPO_DECREASE_BLOB_MAX", "4"}});
    EXPECT_NE(config.find(R"("bpo4Time":0,)"), std::string::npos) << config;
    EXPECT_NE(config.find(R"("bpo4":{"target":2,"max":4,"baseFeeUpdateFraction":8832827})"),
              std::string::npos)
        << config;
}

TEST(HiveEnv, a_value_that_is_no_number_is_named) {
    for (const char* value : {"-1", "0x10", "many", "1e6", " 1"}) {
        try {
            hive_config({{"HIVE_FORK_BERLIN", value}});
            FAIL() << value;
        } catch (const core::Fault& fault) {
            EXPECT_EQ(fault.kind(), core::FaultKind::Usage);
            EXPECT_NE(fault.message().find("HIVE_FORK_BERLIN"), std::string::npos);
        }
    }
    EXPECT_THROW(hive_network_id({{"HIVE_NETWORK_ID", "18446744073709551616"}}), core::Fault);
    EXPECT_THROW(hive_config({{"HIVE_DEPOSIT_CONTRACT_ADDRESS", "0x\""}}), core::Fault);
}

TEST(GenesisText, a_member_is_replaced_and_all_else_keeps_its_form) {
    struct Case {
        const char* document;
        const char* changed;
    };
    constexpr Case kCases[] = {
        {R"({ "config": {"a": [1, 2]} , "nonce":"0x00" })",
         R"({ "config": NEW , "nonce":"0x00" })"},
        {R"({"nonce": 5e3, "config": 17 })", R"({"nonce": 5e3, "config": NEW })"},
        {R"({"nonce": 1})", R"({"config":NEW,"nonce": 1})"},
        {"{ }", "{\"config\":NEW }"},
        {R"({"config":1,"config":{}})", R"({"config":NEW,"config":NEW})"},
        {R"({"c\u006fnfig":"a}","x":{"config":2}})", R"({"c\u006fnfig":NEW,"x":{"config":2}})"},
    };
    for (const Case& c : kCases) EXPECT_EQ(with_member(c.document, "config", "NEW"), c.changed);
    for (const char* document : {"", "[]", "{", "7", R"({"a":1} x)", R"({"config" 1})"})
        EXPECT_EQ(with_member(document, "config", "{}"), std::nullopt) << document;
    EXPECT_EQ(member_text(R"({"a":1,"config": {"b": 2} })", "config"), R"({"b": 2})");
    EXPECT_EQ(member_text(R"({"a":1})", "config"), std::nullopt);
}

TEST(GenesisText, a_file_that_cannot_be_read_is_named) {
    core::SystemFiles files;
    try {
        read_genesis_text(files, "/no/such/genesis.json");
        FAIL();
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Usage);
        EXPECT_NE(fault.message().find("/no/such/genesis.json: No such file"), std::string::npos);
    }
}

}  // namespace
}  // namespace keel::node
